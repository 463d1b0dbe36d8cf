namespace Rpat.Engine.Cases;

/// <summary>Depthwise convolutions: <see cref="ReferenceConv2d"/> with one group per channel.</summary>
public sealed class DepthwiseConv2dCases : OpCases<DepthwiseShape>
{
    /// <inheritdoc/>
    public override string Category => "conv";

    /// <inheritdoc/>
    protected override IEnumerable<DepthwiseShape> RaggedSizes =>
        [Of(2, 5, 5, 7, 3, 1, 1), Of(2, 17, 6, 5, 3, 2, 1), Of(1, 1, 4, 4, 1, 1, 0), Of(1, 8, 7, 7, 5, 2, 2)];

    /// <inheritdoc/>
    protected override IEnumerable<DepthwiseShape> WiderSizes =>
    [
        Of(2, 17, 5, 7, 3, 1, 1), Of(2, 17, 5, 7, 3, 2, 1), Of(1, 1, 4, 4, 3, 1, 1), Of(3, 16, 8, 8, 3, 2, 1), Of(2, 33, 6, 9, 3, 2, 0),
        Of(2, 5, 3, 3, 3, 1, 0), Of(1, 16, 1, 1, 3, 1, 1), Of(1, 16, 2, 2, 3, 2, 1), Of(2, 19, 7, 8, 5, 1, 2), Of(2, 19, 7, 8, 5, 3, 2),
        Of(2, 19, 6, 6, 3, 1, 2), Of(2, 20, 4, 5, 1, 1, 0), Of(2, 20, 4, 5, 1, 2, 0), Of(9, 96, 16, 16, 3, 1, 1),
        Of(5, 96, 16, 16, 3, 2, 1),
    ];

    /// <summary>PreActResNet-18 has no depthwise layer: this is one of MobileNetV2's.</summary>
    protected override IEnumerable<DepthwiseShape> LayerSizes(int batch) => [Of(batch, 144, 16, 16, 3, 1, 1)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, DepthwiseShape size, bool every) =>
        Both(every).SelectMany(fused => Passes(make, size, fused));

    private static IEnumerable<KernelCase> Passes(TestTensors make, DepthwiseShape s, bool fused)
    {
        TestTensor input = make.Blocked(s.Input), w = make.Plain(new Shape(s.Input.C, 1, s.R, s.R)), dy = make.Blocked(s.Output);
        TestTensor y = make.Blocked(s.Output), dx = make.Blocked(s.Input), dw = make.Plain(w.Shape);
        Seen x = fused ? make.View(input) : new(input);
        Window window = new(s.Stride, s.Padding, s.Input.C);
        Array4 Y() => ReferenceConv2d.Forward(x.Values, w.Values, null, window);
        double Loss() => Y().Dot(dy.Values);
        yield return new("depthwise forward", k => k.DepthwiseForward(s, x.Operand, w, y), new CaseResult(y, Y))
        {
            Covers = ["DepthwiseForward"],
            Bytes = input.Bytes + y.Bytes,
        };
        yield return new("depthwise dx", k => k.DepthwiseInputGradient(s, dy, w, x.Operand, fused, dx), CaseResult.GradientBy(
            dx, fused, () => x.Through(ReferenceConv2d.InputGradient(input.Values, w.Values, dy.Values, window)), input, Loss))
        {
            Covers = ["DepthwiseInputGradient"],
            Bytes = dx.Bytes + dy.Bytes,
        };
        yield return new("depthwise dw", k => k.DepthwiseWeightGradient(s, x.Operand, dy, fused, dw), CaseResult.GradientBy(
            dw, fused, () => ReferenceConv2d.WeightGradient(x.Values, w.Values, dy.Values, window), w, Loss))
        {
            Covers = ["DepthwiseWeightGradient"],
            Bytes = input.Bytes + dy.Bytes,
        };
    }

    private static DepthwiseShape Of(int n, int c, int h, int w, int r, int stride, int padding) =>
        new(new Shape(n, c, h, w), r, stride, padding);
}
