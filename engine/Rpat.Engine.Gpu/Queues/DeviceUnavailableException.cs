namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// A GPU was asked for that this machine does not have, or that it cannot do what was asked; the message says what to do.
/// </summary>
public sealed class DeviceUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
