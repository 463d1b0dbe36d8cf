namespace Rpat.Engine.Devices;

/// <summary>Weight-averaging kernels of a backend.</summary>
public interface IEmaKernels
{
    /// <summary>average ← decay·average + (1 − decay)·values.</summary>
    void Ema(long count, DeviceBuffer average, DeviceBuffer values, float decay);
}
