namespace Rpat.Nn;

/// <summary>
/// The gradients that a tape computes, compared with central differences of the values that it computes: for ops, losses and layers of
/// one's own, on any device. Values are float32, so that right gradients differ by about 1e-4; inputs must lie further than a tenth from
/// points without a derivative, such as the kink of a ReLU. Of a whole network right gradients may differ by 1e-2. A dropout that trains
/// draws again whenever parameters change, unless its network's <see cref="DropoutSource.Step"/> is set.
/// </summary>
/// <param name="Error">The largest difference, divided by the largest entry of either.</param>
/// <param name="Input">The input whose gradient differs by that.</param>
/// <param name="Index">The entry, in NCHW order.</param>
/// <param name="Gradient">What the tape computes there.</param>
/// <param name="Difference">What differences give.</param>
public sealed record GradientCheck(double Error, Tensor Input, int Index, double Gradient, double Difference)
{
    private const double Step = 1.0 / 32;
    private const int Most = 100;

    /// <summary>Checks the gradients of Σ w·y, for an output y and fixed weights w from 0.5 to 1.5.</summary>
    /// <param name="record">Records y from the inputs.</param>
    /// <param name="inputs">Tensors that were created with <c>needsGrad</c>, and parameters; of large ones 100 entries are checked.</param>
    /// <exception cref="ArgumentException">There is no input, one wants no gradient or is frozen, or no recorded op takes
    /// one.</exception>
    public static GradientCheck Of(Func<Tape, Tensor> record, params IReadOnlyList<Tensor> inputs)
    {
        var tape = TapeOf(inputs);
        var probe = tape.Record(new Probe(tape, Recorded(record(tape))));
        return Compared(tape, probe.Value, inputs);
    }

    /// <summary>Checks the gradients of a loss.</summary>
    /// <param name="record">Records the loss of the inputs.</param>
    /// <inheritdoc cref="Of(Func{Tape, Tensor}, IReadOnlyList{Tensor})"/>
    public static GradientCheck Of(Func<Tape, Loss> record, params IReadOnlyList<Tensor> inputs)
    {
        var tape = TapeOf(inputs);
        return Compared(tape, Recorded(record(tape)).Read, inputs);
    }

    /// <summary>Fails if the error is larger than rounding explains.</summary>
    /// <exception cref="InvalidOperationException">It is; the message says where.</exception>
    public void Require(double tolerance = 1e-3)
    {
        if (!(Error <= tolerance))
            throw new InvalidOperationException(FormattableString.Invariant($"{this}, allowed {tolerance:0.0E-00}."));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"the gradient of {Input} at [{Index}] is {Gradient:G6} where differences give {Difference:G6}: error {Error:0.0E-00} of the largest "
        + $"entry");

    private static T Recorded<T>(T? value) where T : class =>
        value ?? throw new ArgumentException("GradientCheck: what was to record a value returned null: return the tensor or the loss.");

    private static Tape TapeOf(IReadOnlyList<Tensor> inputs)
    {
        if (inputs.Count == 0) throw new ArgumentException("GradientCheck: name tensors and parameters by which to derive.");
        if (inputs.FirstOrDefault(input => !input.NeedsGrad) is { } constant)
            throw new ArgumentException($"GradientCheck: {constant} wants no gradient: make it with needsGrad, or leave it out.");
        if (inputs.OfType<Parameter>().FirstOrDefault(parameter => parameter.IsFrozen) is { } frozen)
            throw new ArgumentException($"GradientCheck: {frozen} is frozen, so that it gets no gradient: leave it out.");
        return new Tape(inputs[0].Device, Gradients.Inputs | Gradients.Parameters);
    }

    private static GradientCheck Compared(Tape tape, Func<double> value, IReadOnlyList<Tensor> inputs)
    {
        if (!tape.Nodes.Any(node => node is { StartsBackward: true, NeedsGrad: true })) throw Independent("no gradient reaches one");
        HashSet<Tensor> taken = [.. tape.Nodes.SelectMany(node => node.Inputs).Where(edge => edge.NeedsGrad).Select(edge => edge.Stored)];
        if (inputs.FirstOrDefault(input => !taken.Contains(input)) is { } unused)
            throw Independent($"no op takes {unused}");
        tape.Run();
        float[][] gradients = [.. inputs.Select(GradientOf)];
        List<(Tensor Input, int Index, double Gradient, double Difference)> all = [];
        foreach (var (input, gradient) in inputs.Zip(gradients))
            foreach (int i in Entries(gradient.Length)) all.Add((input, i, gradient[i], DifferenceAt(tape, value, input, i)));
        tape.Release();
        double largest = all.Max(one => Math.Max(Math.Abs(one.Gradient), Math.Abs(one.Difference))) + 1e-6;
        return all.Select(one => new GradientCheck(ErrorOf(one.Gradient - one.Difference, largest), one.Input, one.Index, one.Gradient,
            one.Difference)).MaxBy(check => check.Error)!;
    }

    private static float[] GradientOf(Tensor input)
    {
        try
        {
            return input.GradToArray();
        }
        catch (InvalidOperationException error)
        {
            throw Independent(error.Message.TrimEnd('.'), error);
        }
    }

    private static ArgumentException Independent(string why, Exception? error = null) =>
        new($"GradientCheck: create each input with needsGrad, and record a value that depends on all of them ({why}).", error);

    private static double ErrorOf(double difference, double largest) =>
        double.IsFinite(difference / largest) ? Math.Abs(difference) / largest : double.PositiveInfinity;

    private static int[] Entries(int count)
    {
        int[] all = [.. Enumerable.Range(0, count)];
        new Random(1).Shuffle(all);
        return all[..Math.Min(Most, count)];
    }

    // Two widths, whose errors of second order cancel.
    private static double DifferenceAt(Tape tape, Func<double> value, Tensor input, int index)
    {
        float[] values = input.ToArray();
        float middle = values[index];
        double width = Step * Math.Max(1, Math.Abs(middle));
        double difference = (4 * Slope(width) - Slope(2 * width)) / 3;
        input.Upload(values);
        return difference;

        double Slope(double half)
        {
            var (above, below) = ((float)(middle + half), (float)(middle - half));
            return (At(above) - At(below)) / ((double)above - below);
        }

        double At(float moved)
        {
            values[index] = moved;
            input.Upload(values);
            values[index] = middle;
            tape.Forward();
            return value();
        }
    }

    /// <summary>Σ w·y as a loss, whose value the host adds in double precision.</summary>
    private sealed class Probe : Node
    {
        private readonly Edge _y;
        private readonly float[] _weights;
        private readonly DeviceBuffer _seed;

        public Probe(Tape tape, Tensor y)
        {
            _y = tape.AddStoredInput(y);
            tape.Retain(Y);
            _weights = new float[Y.Shape.Count];
            new RandomKey(1, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(_weights);
            for (int i = 0; i < _weights.Length; i++) _weights[i] += 0.5f;
            _seed = tape.Allocate(tape.Device.StorageLength(Y.Shape, Y.Layout));
            if (Y.Layout == Layout.Plain) tape.Device.Upload(_weights, _seed);
            else tape.Device.UploadBlocked(_weights, Y.Shape, _seed);
            Inputs = [_y];
        }

        public override string Op => "GradientCheck";

        public override IReadOnlyList<Edge> Inputs { get; }

        public override IReadOnlyList<Tensor> Outputs => [];

        public override bool StartsBackward => true;

        private Tensor Y => _y.Stored;

        public double Value() => Y.ToArray().Zip(_weights, (y, w) => (double)y * w).Sum();

        public override void Forward(IKernels kernels)
        {
        }

        public override void Backward(IKernels kernels) =>
            kernels.AddGradient(Y.Shape, Y.Layout, _seed, null, default, _y.Accumulate, _y.Grad);
    }
}
