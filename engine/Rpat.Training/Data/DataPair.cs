namespace Rpat.Training.Data;

/// <summary>A data set ready for training and evaluation.</summary>
/// <param name="Train">The training images.</param>
/// <param name="Test">The held-out images.</param>
/// <param name="Source">Where they were read from, for reports.</param>
/// <param name="Notes">Sentences that a user must see before trusting results on this data; usually none.</param>
internal sealed record DataPair(LabeledImages Train, LabeledImages Test, string Source, IReadOnlyList<string> Notes);
