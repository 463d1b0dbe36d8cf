namespace Rpat.Trainer.Data;

/// <summary>A data set is asked for by a name or in a form that does not exist: a fault of the command line, not of a file.</summary>
internal sealed class DataSpecException(string message) : Exception(message);
