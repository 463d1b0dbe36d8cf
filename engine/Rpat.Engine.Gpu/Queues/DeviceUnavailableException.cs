namespace Rpat.Engine.Gpu.Queues;

/// <summary>The requested GPU does not exist, or it cannot do what was requested; the message says what to do.</summary>
public sealed class DeviceUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
