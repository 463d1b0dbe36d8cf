namespace Rpat.Training.Runs;

/// <summary>What computed a run, for its record.</summary>
/// <param name="Device">The device's name.</param>
/// <param name="Kernels">Its instruction set, threads and algorithms.</param>
/// <param name="Convolutions">Kernel size and algorithm of each convolution, by the name of its weight.</param>
internal sealed record ComputeInfo(string Device, string Kernels, IReadOnlyDictionary<string, string> Convolutions);
