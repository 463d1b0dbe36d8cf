namespace Rpat.Nn;

/// <summary>
/// A network of which only the answers are known, such as another program's: it takes images and gives logits, and has neither parameters
/// nor gradients. Attacks that query logits alone work on it, and so do predictions; a gradient is refused.
/// </summary>
/// <param name="input">The shape of one image.</param>
/// <param name="ask">Images <c>[N, C, H, W]</c> in [0,1] to logits <c>[N, classes]</c>, row by row.</param>
public sealed class BlackBox(Device device, Shape input, int classes, Func<float[], float[]> ask) : Classifier(device, input, classes)
{
    /// <inheritdoc/>
    protected override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.Record(new AskNode(tape, x, Classes, ask)).Output;

    private sealed class AskNode : Node
    {
        private readonly Edge _x;
        private readonly Func<float[], float[]> _ask;

        public AskNode(Tape tape, Tensor x, int classes, Func<float[], float[]> ask)
        {
            (_x, _ask) = (tape.AddStoredInput(x), Bound.Given(ask));
            Output = tape.NewTensor(new Shape(x.Shape.N, classes), Layout.Plain, "answers");
            (Inputs, Outputs) = ([_x], [Output]);
        }

        public Tensor Output { get; }
        public override string Op => "BlackBox";
        public override IReadOnlyList<Edge> Inputs { get; }
        public override IReadOnlyList<Tensor> Outputs { get; }

        public override void Forward(IKernels kernels)
        {
            float[] logits = _ask(_x.Stored.ToArray());
            ShapeException.Require(logits.Length == Output.Shape.Count, Op,
                $"{logits.Length} answers are not {Output.Shape.C} for each of {Output.Shape.N} images");
            Output.Device.Upload(logits, Output.Data);
        }

        public override void Backward(IKernels kernels) =>
            throw new InvalidOperationException("A black box has no gradients: attack it by queries, or transfer from a surrogate.");
    }
}
