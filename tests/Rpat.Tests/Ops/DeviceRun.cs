using Rpat.Engine.Kernels.Cpu;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>One way in which the CPU backend may run.</summary>
/// <param name="L2">Bytes of L2 that blocks are cut for, or null for this machine's.</param>
internal readonly record struct CpuSetup(int Threads, ConvolutionAlgorithm Convolution, InstructionSet Set, int? L2 = null)
{
    /// <summary>What this machine runs, Winograd included.</summary>
    public static CpuSetup Best { get; } = new(1, ConvolutionAlgorithm.Auto, Tile.Best);

    /// <summary>Both algorithms with the tiles of every instruction set; each setup on one thread, then on two.</summary>
    public static IReadOnlyList<CpuSetup> All { get; } =
    [
        .. from set in Enum.GetValues<InstructionSet>()
           from algorithm in Enum.GetValues<ConvolutionAlgorithm>()
           from threads in new[] { 1, 2 }
           select new CpuSetup(threads, algorithm, set),
    ];

    /// <summary>As <see cref="All"/>, but two threads only with the tiles that this machine runs.</summary>
    public static IReadOnlyList<CpuSetup> Most { get; } = [.. All.Where(setup => setup.Threads == 1 || setup.Set == Best.Set)];

    /// <summary>One thread and two, for kernels that have one implementation.</summary>
    public static IReadOnlyList<CpuSetup> Threading { get; } = [Best, Best with { Threads = 2 }];
}

/// <summary>γ, β and running statistics of a batch norm, one value per channel.</summary>
internal sealed record NormValues(double[] Gamma, double[] Beta, double[] Mean, double[] Variance)
{
    /// <summary>Values of usual size from a seed; every third γ is negative.</summary>
    public static NormValues Random(int channels, int seed)
    {
        double[] Draw(int offset, double low, double high) => Array4.Uniform(1, channels, 1, 1, seed + offset, low, high).Data;
        double[] gamma = Draw(0, 0.5, 1.5);
        for (int c = 2; c < channels; c += 3) gamma[c] = -gamma[c];
        return new NormValues(gamma, Draw(1, -0.5, 0.5), Draw(2, -0.5, 0.5), Draw(3, 0.5, 1.5));
    }
}

/// <summary>A device of one setup with a tape, leaf tensors made from double arrays, and a run from a given output gradient.</summary>
internal sealed class DeviceRun(CpuSetup setup, Gradients gradients) : Module(setup.Open()), IDisposable
{
    private readonly List<(Tensor Tensor, float[] Values)> _uploads = [];

    public CpuSetup Setup { get; } = setup;

    public Tape Tape => field ??= new Tape(Device, gradients);

    public void Dispose() => Device.Dispose();

    /// <summary>A persistent input in plain order.</summary>
    public Tensor Image(Array4 x) => Tensor.From(Device, ShapeOf(x), x.ToFloats(), needsGrad: true);

    /// <summary>A persistent input in the layout of activations.</summary>
    public Tensor Activation(Array4 x) => new ActivationTensor(Device, ShapeOf(x), x.ToFloats());

    /// <summary>Convolution filters.</summary>
    public Parameter Filters(Array4 w) => Later(DeclareConv($"conv{_uploads.Count}", w.N, w.C, w.H), w.Data);

    /// <summary>Any parameter; one row is a vector.</summary>
    public Parameter Values(Array4 w) => Later(DeclareParameter($"parameter{_uploads.Count}", Init.Zero, ShapeOf(w),
        w.N == 1 && w.H * w.W == 1 ? [w.C] : [w.N, w.C, w.H, w.W]), w.Data);

    /// <summary>The bias of a convolution.</summary>
    public Parameter Bias(double[] values) => Later(DeclareBias($"bias{_uploads.Count}", values.Length, 1), values);

    /// <summary>A fully connected layer.</summary>
    public (Parameter Weight, Parameter Bias) Matrix(Array4 w, double[] bias)
    {
        var (weight, b) = DeclareLinear($"linear{_uploads.Count}", w.N, w.C);
        return (Later(weight, w.Data), Later(b, bias));
    }

    /// <summary>A batch norm.</summary>
    public BatchNorm2d Norm(NormValues values)
    {
        BatchNorm2d norm = DeclareBatchNorm($"bn{_uploads.Count}", values.Gamma.Length);
        Later(norm.Weight, values.Gamma);
        Later(norm.Bias, values.Beta);
        Later(norm.RunningMean, values.Mean);
        Later(norm.RunningVar, values.Variance);
        return norm;
    }

    /// <summary>Runs the tape forward and backward from ∂L/∂y = dy and returns y.</summary>
    public Array4 Run(Tensor y, Array4 dy)
    {
        DotLoss loss = Tape.Record(new DotLoss(Tape, y, dy.ToFloats()));
        Parameters.Allocate();
        foreach (var (tensor, values) in _uploads) tensor.Upload(values);
        Parameters.BumpVersion();
        if (loss.NeedsGrad) Tape.Run();
        else Tape.Forward();
        return ValuesOf(loss.Y);
    }

    public static Array4 ValuesOf(Tensor tensor) => ToArray(tensor.Shape, tensor.ToArray());

    /// <summary>The gradient of a leaf; zeros if the loss does not depend on it.</summary>
    public static Array4 Gradient(Tensor leaf)
    {
        var values = new float[leaf.Shape.Count];
        if (leaf.Layout == Layout.Plain) leaf.Device.Download(leaf.Grad, values);
        else leaf.Device.DownloadBlocked(leaf.Grad, leaf.Shape, values);
        return ToArray(leaf.Shape, values);
    }

    private static Array4 ToArray(Shape s, float[] values) => Array4.FromFloats(s.N, s.C, s.H, s.W, values);

    private static Shape ShapeOf(Array4 x) => new(x.N, x.C, x.H, x.W);

    // Parameters have no memory before the store is sealed.
    private T Later<T>(T tensor, double[] values) where T : Tensor
    {
        _uploads.Add((tensor, Array.ConvertAll(values, value => (float)value)));
        return tensor;
    }

    private sealed class ActivationTensor : Tensor
    {
        public ActivationTensor(Device device, Shape shape, float[] values) : base(device, shape, Layout.Blocked, "activation")
        {
            (NeedsGrad, IsPersistent) = (true, true);
            Data = device.Allocate(StorageLength);
            Grad = device.Allocate(StorageLength);
            Upload(values);
        }
    }
}

internal static class CpuSetupExtensions
{
    public static Device Open(this CpuSetup setup) => new CpuDevice(setup.Threads, setup.Convolution, setup.Set, setup.L2);
}
