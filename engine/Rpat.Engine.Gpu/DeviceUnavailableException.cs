namespace Rpat.Engine.Gpu;

/// <summary>A GPU was asked for that this machine, or this build, does not have; the message says what to do.</summary>
public sealed class DeviceUnavailableException(string message) : Exception(message);
