namespace Rpat.Tests.Autograd;

/// <summary>
/// A network whose layers are drawn at random: chains, sums, residuals, views that are read several times, and ends that nothing
/// reads. Shapes are kept equal so that every tensor fits everywhere.
/// </summary>
internal sealed class RandomGraph : Classifier
{
    private const int Layers = 14;

    private readonly int _seed;
    private readonly Parameter _stem;
    private readonly Parameter[] _wide;
    private readonly Parameter[] _narrow;
    private readonly BatchNorm2d[] _norms;
    private readonly (Parameter Weight, Parameter Bias) _linear;

    public RandomGraph(Device device, int seed) : base(device, new Shape(1, 3, 6, 5), 4)
    {
        _seed = seed;
        int channels = new[] { 3, 16, 20 }[seed % 3];
        _stem = DeclareConv("stem", channels, 3, 3);
        _wide = [.. Enumerable.Range(0, 4).Select(i => DeclareConv($"wide{i}", channels, channels, 3))];
        _narrow = [.. Enumerable.Range(0, 2).Select(i => DeclareConv($"narrow{i}", channels, channels, 1))];
        _norms = [.. Enumerable.Range(0, 4).Select(i => DeclareBatchNorm($"norm{i}", channels))];
        _linear = DeclareLinear("linear", 4, channels);
        Build((ulong)seed);
    }

    protected override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        System.Random random = new(_seed);
        List<Tensor> made = [tape.Conv2d(x, _stem, padding: 1)];
        for (int i = 0; i < Layers; i++) made.Add(Layer(tape, made, bn, random));
        if (random.Next(2) == 0) tape.Retain(made[random.Next(made.Count)]);
        Tensor last = tape.BatchNorm2d(made[^1], _norms[0], bn, relu: true);
        return tape.Linear(tape.GlobalAveragePool(last), _linear.Weight, _linear.Bias);
    }

    private Tensor Layer(Tape tape, List<Tensor> made, BnMode bn, System.Random random)
    {
        // Mostly the last tensor, so that the graph is deep; sometimes any earlier one.
        Tensor Pick() => random.Next(3) == 0 ? made[random.Next(made.Count)] : made[^1];
        T Any<T>(T[] items) => items[random.Next(items.Length)];
        return random.Next(6) switch
        {
            0 => tape.Add(Pick(), made[random.Next(made.Count)], relu: random.Next(2) == 0),
            1 => tape.Relu(Pick()),
            2 => tape.BatchNorm2d(Pick(), Any(_norms), bn, relu: random.Next(2) == 0),
            3 => tape.Conv2d(Pick(), Any(_narrow), residual: Pick()),
            4 => tape.Conv2d(Pick(), Any(_wide), padding: 1),
            _ => tape.Conv2d(Pick(), Any(_wide), padding: 1, residual: Pick()),
        };
    }
}
