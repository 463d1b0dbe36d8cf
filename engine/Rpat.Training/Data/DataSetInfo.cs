namespace Rpat.Training.Data;

/// <summary>One line of the list of data sets.</summary>
/// <param name="Name">What <c>--data</c> and <c>data.name</c> call it.</param>
/// <param name="Title">Its published name.</param>
/// <param name="Shape">Channels x height x width of an image, or what decides it.</param>
/// <param name="Classes">The number of classes; null when the file decides.</param>
/// <param name="Images">How many training and test images.</param>
/// <param name="LookedFor">Which files are looked for, and where.</param>
/// <param name="Licence">Its terms.</param>
internal sealed record DataSetInfo(
    string Name, string Title, string Shape, int? Classes, string Images, string LookedFor, string Licence);
