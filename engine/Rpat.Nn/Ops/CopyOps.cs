namespace Rpat.Nn.Ops;

/// <summary>Recording of copies: parts, joints, borders and other orders of a tensor.</summary>
public static class CopyOps
{
    private const int Samples = 0, Channels = 1;

    /// <summary>A part of a tensor, in its layout; a range that is not given is the whole axis.</summary>
    /// <exception cref="ShapeException">A range is empty or goes beyond the tensor.</exception>
    public static Tensor Slice(this Tape tape, Tensor x, Range? samples = null, Range? channels = null, Range? rows = null,
        Range? columns = null)
    {
        var s = Bound.Given(x).Shape;
        var (n, c, h, w) = (Part(samples, s.N, x), Part(channels, s.C, x), Part(rows, s.H, x), Part(columns, s.W, x));
        return Shifted(tape, "Slice", x, new(n.Count, c.Count, h.Count, w.Count), new(n.First, c.First, h.First, w.First));
    }

    /// <summary>The channels in parts of the given sizes.</summary>
    /// <exception cref="ShapeException">The parts do not add up to x's channels.</exception>
    public static IReadOnlyList<Tensor> Split(this Tape tape, Tensor x, params IReadOnlyList<int> channels)
    {
        ShapeException.Require(channels.Sum() == Bound.Given(x).Shape.C, "Split",
            $"parts of {string.Join(" + ", channels)} channels are not {x}");
        var parts = new List<Tensor>();
        for (int i = 0, at = 0; i < channels.Count; at += channels[i++]) parts.Add(tape.Slice(x, channels: at..(at + channels[i])));
        return parts;
    }

    /// <summary>The channels of all inputs one after the other: <c>[N, C₁ + C₂ + …, H, W]</c>.</summary>
    /// <exception cref="ShapeException">The inputs differ in more than their channels.</exception>
    public static Tensor Concat(this Tape tape, params IReadOnlyList<Tensor> inputs) => Join(tape, "Concat", inputs, Channels);

    /// <summary>The samples of a, then those of b: plain tensors of one size → <c>[2N, …]</c>, so that batch norms see one batch.</summary>
    /// <exception cref="ShapeException">The sizes differ, or a tensor is not plain.</exception>
    public static Tensor Stack(this Tape tape, Tensor a, Tensor b)
    {
        ShapeException.Require(Bound.Given(a).Shape == Bound.Given(b).Shape, "Stack", $"{a} and {b} differ in size");
        ShapeException.Require(a.Layout == Layout.Plain && b.Layout == Layout.Plain, "Stack", $"{a} and {b} must be plain");
        return Join(tape, "Stack", [a, b], Samples);
    }

    /// <summary>The first and the second half of the samples of <c>[2N, …]</c>.</summary>
    /// <exception cref="ShapeException">The number of samples is odd.</exception>
    public static (Tensor First, Tensor Second) Halves(this Tape tape, Tensor both)
    {
        int half = Bound.Given(both).Shape.N / 2;
        ShapeException.Require(both.Shape.N == 2 * half, "Halves", $"{both} has no two halves");
        return (tape.Slice(both, samples: ..half), tape.Slice(both, samples: half..));
    }

    /// <summary>Zeros around each map, as many rows and columns as given; negative numbers cut.</summary>
    /// <exception cref="ShapeException">Nothing would be left.</exception>
    public static Tensor Pad(this Tape tape, Tensor x, int top, int bottom, int left, int right) => Shifted(tape, "Pad", x,
        Bound.Given(x).Shape with { H = x.Shape.H + top + bottom, W = x.Shape.W + left + right }, new(0, 0, -top, -left));

    /// <summary>Plain x with its axes in another order, such as 0, 2, 1, 3: the axis of x that becomes each axis of the result.</summary>
    /// <exception cref="ShapeException">x is not plain, or not each axis is named once.</exception>
    public static Tensor Permute(this Tape tape, Tensor x, int n, int c, int h, int w)
    {
        int[] order = [n, c, h, w];
        ShapeException.Require(order.Order().SequenceEqual([0, 1, 2, 3]), "Permute", $"{n}, {c}, {h}, {w} are not four axes");
        ShapeException.Require(Bound.Given(x).Layout == Layout.Plain, "Permute", $"{x} must be plain");
        var sizes = Axes.Of(x.Shape);
        int At(int axis) => Array.IndexOf(order, axis);
        return tape.Copy("Permute", [x],
        [
            new(x.Shape, Layout.Plain, new(sizes[n], sizes[c], sizes[h], sizes[w]), Layout.Plain)
            { Order = new(At(0), At(1), At(2), At(3)) },
        ]);
    }

    /// <summary>The values of plain x, in the same order, as a tensor of another size.</summary>
    /// <exception cref="ShapeException">x is not plain, or the number of values differs.</exception>
    public static Tensor Reshape(this Tape tape, Tensor x, Shape shape)
    {
        ShapeException.Require(Bound.Given(x).Layout == Layout.Plain && (double)shape.N * shape.C * shape.H * shape.W == x.Shape.Count,
            "Reshape", $"{x} cannot become plain {shape}");
        return tape.Copy("Reshape", [x], [new(shape, Layout.Plain, shape, Layout.Plain)]);
    }

    /// <summary>Plain <c>[N, C, H, W]</c> → <c>[N, C·H·W]</c> in the same order; an input normalisation is applied on the way.</summary>
    /// <exception cref="ShapeException">x is not in plain order.</exception>
    public static Tensor Flatten(this Tape tape, Tensor x)
    {
        ShapeException.Require(Bound.Given(x).Layout == Layout.Plain, "Flatten", $"{x} must be images, not activations");
        var shape = new Shape(x.Shape.N, x.Shape.SampleCount);
        return tape.Copy("Flatten", [x], [new(shape, Layout.Plain, shape, Layout.Plain)]);
    }

    /// <summary>
    /// Plain values in the activation layout, for convolutions, batch norms and pooling: a batch norm of features <c>[N, C]</c> is a 2-D
    /// batch norm of maps of one pixel. <see cref="ToPlain"/> converts back.
    /// </summary>
    /// <exception cref="ShapeException">x is already in the activation layout.</exception>
    public static Tensor ToActivations(this Tape tape, Tensor x)
    {
        ShapeException.Require(Bound.Given(x).Layout == Layout.Plain, "ToActivations", $"{x} must be plain");
        return tape.Copy("ToActivations", [x], [new(x.Shape, Layout.Plain, x.Shape, Layout.Blocked)]);
    }

    /// <summary>Activations as plain values of the same size.</summary>
    public static Tensor ToPlain(this Tape tape, Tensor x) =>
        Bound.Given(x) is { Layout: Layout.Plain, View: null } ? x
            : tape.Copy("ToPlain", [x], [new(x.Shape, x.Layout, x.Shape, Layout.Plain)]);

    /// <summary>The same values, through which no gradient flows.</summary>
    public static Tensor Detach(this Tape tape, Tensor x) =>
        tape.Copy("Detach", [x], [new(Bound.Given(x).Shape, x.Layout, x.Shape, x.Layout)], detached: true);

    private static Tensor Join(Tape tape, string op, IReadOnlyList<Tensor> inputs, int axis)
    {
        ShapeException.Require(Bound.Given(inputs).Count > 0, op, "there are no inputs");
        Tensor first = Bound.Given(inputs[0]);
        Axes ends = Axes.Of(first.Shape).With(axis, inputs.Sum(x => Axes.Of(Bound.Given(x).Shape)[axis]));
        foreach (Tensor x in inputs)
            ShapeException.Require(Axes.Of(x.Shape).With(axis, ends[axis]) == ends && x.Layout == first.Layout, op,
                $"{x} does not fit {first}");
        Shape to = new(ends.N, ends.C, ends.H, ends.W);
        var shapes = new List<CopyShape>();
        for (int i = 0, at = 0, next; i < inputs.Count; i++, at = next)
        {
            next = at + Axes.Of(inputs[i].Shape)[axis];
            shapes.Add(new CopyShape(inputs[i].Shape, first.Layout, to, first.Layout)
            {
                Offset = default(Axes).With(axis, -at),
                Begin = default(Axes).With(axis, at),
                End = ends.With(axis, next),
            });
        }
        return tape.Copy(op, inputs, shapes);
    }

    private static Tensor Shifted(Tape tape, string op, Tensor x, Shape to, Axes offset)
    {
        ShapeException.Require(Math.Min(to.H, to.W) > 0, op, $"nothing is left of {x}");
        return tape.Copy(op, [x], [new(x.Shape, x.Layout, to, x.Layout) { Offset = offset }]);
    }

    private static (int First, int Count) Part(Range? range, int size, Tensor x)
    {
        int first = range?.Start.GetOffset(size) ?? 0, end = range?.End.GetOffset(size) ?? size;
        ShapeException.Require(first >= 0 && first < end && end <= size, "Slice", $"{range} is no part of an axis of {size} of {x}");
        return (first, end - first);
    }
}
