namespace Rpat.Training.Errors;

/// <summary>A picture's bytes are damaged. The message completes "the picture is not sound, since …" and names no file.</summary>
internal sealed class PictureException(string message) : Exception(message);
