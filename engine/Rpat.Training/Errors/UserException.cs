namespace Rpat.Training.Errors;

/// <summary>
/// An error that the user can fix. Its message is one sentence: what is wrong, where, and what to do; it is printed as it is, without a
/// stack trace, and the process ends with <see cref="Code"/>.
/// </summary>
public abstract class UserException : Exception
{
    private protected UserException(string message, int code, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>The exit code of <c>rpat</c> for it: 2 usage, 3 data, 4 device, 5 divergence, 6 checkpoint.</summary>
    public int Code { get; }
}

/// <summary>A wrong command line or an output folder that cannot be used (exit code 2).</summary>
internal sealed class UsageException(string message, Exception? cause = null) : UserException(message, ExitCode.Usage, cause);

/// <summary>A wrong key or value in a recipe, a configuration file, the environment or an option (exit code 2).</summary>
internal sealed class ConfigException(string message, Exception? cause = null) : UserException(message, ExitCode.Usage, cause);

/// <summary>
/// A data set is requested by a name or in a form that does not exist: an error of the command line, not of a file (exit code 2).
/// </summary>
internal sealed class DataSpecException(string message) : UserException(message, ExitCode.Usage);

/// <summary>A device that is missing or failed (exit code 4).</summary>
internal sealed class DeviceException(string message, Exception? cause = null) : UserException(message, ExitCode.Device, cause);

/// <summary>Training that became non-finite or stopped learning (exit code 5).</summary>
internal sealed class DivergedException(string message, Exception? cause = null) : UserException(message, ExitCode.Diverged, cause);
