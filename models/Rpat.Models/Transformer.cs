namespace Rpat.Models;

/// <summary>What transformers share: maps as rows <c>[N·T, D]</c> and back, the class token, heads.</summary>
internal static class Transformer
{
    /// <summary>Added to the variance by layer norms.</summary>
    public const double Epsilon = 1e-6;

    /// <summary>The pixels of a map <c>[N, C, H, W]</c> as rows.</summary>
    public static Tensor Rows(Tape tape, Tensor map) => tape.Reshape(tape.Permute(tape.ToPlain(map), 0, 2, 3, 1),
        new Shape(map.Shape.N * map.Shape.Area, map.Shape.C));

    /// <summary>Rows as a map.</summary>
    public static Tensor Map(Tape tape, Tensor rows, Shape map) => tape.ToActivations(
        tape.Permute(tape.Reshape(rows, new Shape(map.N, map.H, map.W, map.C)), 0, 3, 1, 2));

    /// <summary>The class token of each image, <c>[N, 1, 1, D]</c>.</summary>
    public static Tensor ClassTokens(Tape tape, Parameter token, int n)
    {
        int width = token.Shape.C;
        Tensor zeros = tape.Constant(new Shape(n, width), new float[n * width], "zeros");
        return tape.Reshape(tape.Add(zeros, token), new Shape(n, 1, 1, width));
    }

    /// <summary>The given number if it divides the width, else the next smaller one that does.</summary>
    public static int HeadsOf(ModelSpec spec)
    {
        int heads = Math.Max(1, spec.Heads);
        while (spec.Width % heads != 0) heads--;
        return heads;
    }
}

/// <summary>Two layers with four times the width and GELU between.</summary>
internal sealed class TwoLayers(int width) : Layer
{
    private readonly Linear _first = new(width, 4 * width), _second = new(4 * width, width);

    protected override void Declare(Module net, string name)
    {
        net.Declare(Join(name, "fc1"), _first);
        net.Declare(Join(name, "fc2"), _second);
    }

    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => _second.Record(tape, tape.Gelu(_first.Record(tape, x, bn)), bn);
}
