namespace Rpat.Tests.Ops;

/// <summary>L = Σ dy·y: seeds the backward pass with an output gradient of the test's choice, and keeps y readable.</summary>
internal sealed class DotLoss : LossTerm
{
    private readonly Edge _y;
    private readonly float[] _dy;
    private readonly DeviceBuffer _seed;

    /// <summary>Records the loss.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="y">The tensor that is differentiated.</param>
    /// <param name="dy">∂L/∂y in NCHW order.</param>
    public DotLoss(Tape tape, Tensor y, float[] dy) : base(tape, y.Shape.N, Reduction.Sum, "dot")
    {
        (_y, _dy) = (tape.AddStoredInput(y), dy);
        tape.Retain(_y.Stored);
        _seed = tape.Device.Allocate(Y.StorageLength);
        if (Y.Layout == Layout.Plain) tape.Device.Upload(dy, _seed);
        else tape.Device.UploadBlocked(dy, Y.Shape, _seed);
        Inputs = [_y];
    }

    /// <summary>y as it was stored; readable behind a run.</summary>
    public Tensor Y => _y.Stored;

    public override string Op => "Dot";

    public override IReadOnlyList<Edge> Inputs { get; }

    public override void Forward(IKernels kernels)
    {
        float[] y = Y.ToArray(), values = new float[Y.Shape.N];
        for (int n = 0; n < values.Length; n++)
        {
            double sum = 0;
            for (int i = n * Y.Shape.SampleCount; i < (n + 1) * Y.Shape.SampleCount; i++) sum += (double)_dy[i] * y[i];
            values[n] = (float)sum;
        }

        Values.Upload(values);
    }

    public override void Backward(IKernels kernels) =>
        kernels.AddGradient(Y.Shape, Y.Layout, _seed, null, default, _y.Accumulate, _y.Grad);
}
