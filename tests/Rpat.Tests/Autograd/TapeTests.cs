using Rpat.Models;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Autograd;

public sealed class TapeTests : IDisposable
{
    private const float Untouched = 7.25f;

    private readonly Device _device = Device.Cpu(2);
    private readonly PreActResNet _net;
    private readonly Tensor _x;
    private readonly Labels _labels;

    public TapeTests()
    {
        PreActResNetOptions options = new() { Input = new Shape(1, 3, 8, 8), Classes = 4, Width = 4, BlocksPerStage = 1 };
        _net = new PreActResNet(_device, options, seed: 1);
        _x = Tensor.From(_device, new Shape(3, 3, 8, 8), Array4.Uniform(3, 3, 8, 8, seed: 2, low: 0).ToFloats(), needsGrad: true);
        _labels = Labels.From(_device, [1, 0, 3]);
        Fill(_net.Parameters.Gradients, Untouched);
        Fill(_x.Grad, Untouched);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_loss_of_any_graph_rises_along_its_gradient_as_the_gradient_says(int seed)
    {
        using GraphRun graph = new(seed);
        var (slope, length) = graph.Along(step: 2e-4f);
        Assert.InRange(slope / length, 0.98, 1.02); // kinks and float32 differences leave up to 1 %
    }

    [Fact]
    public void Changed_inputs_and_weights_show_in_the_next_run()
    {
        var (tape, logits) = Record(Gradients.None);
        tape.Forward();
        float[] first = logits.ToArray();
        _x.Upload(new float[_x.Shape.Count]);
        tape.Forward();
        float[] dark = logits.ToArray();
        Assert.NotEqual(first, dark);
        var weight = _net.Parameters.Parameters[^2];
        weight.Upload(new float[weight.Shape.Count]);
        _net.Parameters.BumpVersion();
        tape.Forward();
        float[] bias = _net.Parameters.Parameters[^1].ToArray();
        Assert.Equal([.. bias, .. bias, .. bias], logits.ToArray());
    }

    [Fact]
    public void A_device_serves_one_thread_at_a_time()
    {
        var (tape, logits) = Record(Gradients.None);
        tape.Forward();
        float[] alone = logits.ToArray();
        var (other, _) = Record(Gradients.None);
        Exception? refused = null;
        tape.OnNode = (_, _) => refused ??= Task.Factory.StartNew(() => Xunit.Record.Exception(other.Forward),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Result; // which waiting does not do itself
        tape.Forward();
        const string sentence = "A pass runs on this device already: give each thread a device of its own or let them take turns, and run "
            + "no tape in OnNode.";
        Assert.Equal(sentence, Assert.IsType<InvalidOperationException>(refused).Message);
        Assert.Equal(alone, logits.ToArray());
        tape.OnNode = (_, _) => other.Forward();
        Assert.Equal(sentence, Assert.Throws<InvalidOperationException>(tape.Forward).Message);
        other.Forward();
    }

    [Fact]
    public void A_forward_pass_that_is_refused_counts_no_batch()
    {
        var (tape, _) = Record(Gradients.None, BnMode.Train);
        _labels.Upload([1, 4, 3]);
        Assert.Equal("CrossEntropy: label 4 of sample 1 is not a class of 0 to 3.", Assert.Throws<ShapeException>(tape.Forward).Message);
        Assert.All(_net.BatchNorms, norm => Assert.Equal(0, norm.BatchesTracked));
        _labels.Upload([1, 0, 3]);
        tape.Forward();
        Assert.All(_net.BatchNorms, norm => Assert.Equal(1, norm.BatchesTracked));
    }

    [Fact]
    public void A_node_may_have_no_inputs()
    {
        Tape tape = new(_device, Gradients.Inputs);
        var ones = tape.Record(new Constant(tape));
        Tensor sum = tape.Retain(tape.Add(ones.Outputs[0], tape.Flatten(Tensor.From(_device, new Shape(1, 2), [1, 2]))));
        tape.Forward();
        Assert.Equal([2f, 3], sum.ToArray());
    }

    [Fact]
    public void A_loss_has_each_term_once()
    {
        Tape tape = new(_device);
        Loss loss = tape.CrossEntropy(Tensor.Create(_device, new Shape(3, 4)), _labels);
        Assert.Contains("twice", Assert.Throws<InvalidOperationException>(() => loss + 0.5f * loss).Message);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(65536, 65536)]
    [InlineData(65536, 65536, 65536, 65536)]
    [InlineData(-1, 1, 8, 8)]
    [InlineData(-1, -1, 8, 8)]
    public void A_tensor_has_values_and_not_too_many(int n, int c, int h = 1, int w = 1)
    {
        Assert.Throws<ShapeException>(() => Tensor.Create(_device, new Shape(n, c, h, w)));
        Assert.Throws<ShapeException>(() => new Tape(_device).Reshape(Tensor.Create(_device, new Shape(1, 64)), new Shape(n, c, h, w)));
    }

    [Fact]
    public void A_tape_for_inputs_computes_no_weight_gradient()
    {
        var (tape, _) = Record(Gradients.Inputs);
        tape.Run();
        Assert.All(Values(_net.Parameters.Gradients), g => Assert.Equal(Untouched, g));
        Assert.All(_net.Parameters.Parameters, p => NoGradient(p, "Gradients.Parameters"));
        Assert.All(_x.GradToArray(), g => Assert.NotEqual(Untouched, g));
    }

    [Fact]
    public void A_tape_for_parameters_computes_no_input_gradient()
    {
        var (tape, _) = Record(Gradients.Parameters);
        tape.Run();
        Assert.All(Values(_x.Grad), g => Assert.Equal(Untouched, g));
        NoGradient(_x, "Gradients.Inputs");
        Assert.All(_net.Parameters.Parameters, p => Assert.DoesNotContain(Untouched, p.GradToArray()));
    }

    [Fact]
    public void A_tape_for_nothing_runs_forward_only()
    {
        var (tape, _) = Record(Gradients.None);
        Assert.Contains("call Forward", Assert.Throws<InvalidOperationException>(tape.Run).Message);
        tape.Forward();
        Assert.All(Values(_net.Parameters.Gradients).Concat(Values(_x.Grad)), g => Assert.Equal(Untouched, g));
        NoGradient(_x, "Gradients.Inputs");
    }

    [Fact]
    public void A_tape_whose_inputs_want_no_gradient_runs_forward_only()
    {
        Tape tape = new(_device, Gradients.Inputs);
        tape.CrossEntropy(_net.Forward(tape, Tensor.Create(_device, _x.Shape), BnMode.Eval), _labels);
        Assert.Contains("call Forward", Assert.Throws<InvalidOperationException>(tape.Run).Message);
    }

    [Fact]
    public void A_gradient_is_there_when_backward_has_run()
    {
        var (tape, _) = Record(Gradients.Inputs);
        tape.Forward();
        NoGradient(_x, "Gradients.Inputs");
        tape.Backward();
        Assert.NotEqual(Untouched, _x.GradToArray()[0]);
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        Assert.Throws<ArgumentNullException>(() => Tensor.Create(null!, new Shape(1, 1)));
        Assert.Throws<ArgumentNullException>(() => new Tape(_device).Exp(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Labels(_device, -1));
        Assert.Equal("pixels [3, 4]", Tensor.From(_device, new Shape(3, 4), new float[12], name: "pixels").ToString());
    }

    [Fact]
    public void Asking_for_both_gradients_changes_neither()
    {
        float[] inputs = GradientsOf(Gradients.Inputs).Input, parameters = GradientsOf(Gradients.Parameters).Parameters;
        var both = GradientsOf(Gradients.Inputs | Gradients.Parameters);
        Bits.Equal(parameters, both.Parameters);
        // Frozen statistics let the input gradient flow through fewer roundings when no weight wants one.
        for (int i = 0; i < inputs.Length; i++) Assert.Equal(inputs[i], both.Input[i], 2e-6 * inputs.Max(Math.Abs));
    }

    [Fact]
    public void A_gradient_is_stored_anew_in_each_run()
    {
        var (tape, _) = Record(Gradients.Inputs | Gradients.Parameters);
        tape.Run();
        float[] first = [.. _x.GradToArray(), .. _net.Parameters.Parameters.SelectMany(p => p.GradToArray())];
        tape.Run();
        Bits.Equal(first, [.. _x.GradToArray(), .. _net.Parameters.Parameters.SelectMany(p => p.GradToArray())]);
    }

    [Fact]
    public void Recording_after_a_run_is_refused_by_the_ops_name()
    {
        var (tape, logits) = Record(Gradients.None);
        tape.Forward();
        var error = Assert.Throws<InvalidOperationException>(() => tape.CrossEntropy(logits, _labels));
        Assert.Equal("CrossEntropy: the tape has run already; record before the first run.", error.Message);
    }

    [Fact]
    public void Reading_before_the_first_run_is_refused_by_the_tensors_name()
    {
        var (_, logits) = Record(Gradients.None);
        Assert.Equal("logits has no memory yet: run its tape first.", Assert.Throws<InvalidOperationException>(logits.ToArray).Message);
        var store = new ParameterStore(_device);
        Parameter w = store.Declare("w", new Shape(2, 3), 2, 3);
        Assert.Equal("w has no memory yet: call Allocate of its ParameterStore first.",
            Assert.Throws<InvalidOperationException>(w.ToArray).Message);
        Assert.Equal("Two parameters are called 'w'.",
            Assert.Throws<InvalidOperationException>(() => store.Declare("w", new Shape(1, 1), 1)).Message);
        store.Allocate();
        Assert.Equal("The store is allocated already: its values would be lost.",
            Assert.Throws<InvalidOperationException>(store.Allocate).Message);
        Assert.Equal("CopyTo: w [2, 3] has 6 values, and the destination takes 5.",
            Assert.Throws<ShapeException>(() => w.CopyTo(new float[5])).Message);
    }

    [Fact]
    public void Losses_of_two_tapes_have_no_sum()
    {
        Loss Of(Tape tape) => tape.CrossEntropy(Tensor.Create(_device, new Shape(3, 4)), _labels);
        var tape = new Tape(_device);
        Assert.Equal(2, (Of(tape) + Of(tape)).Terms.Count);
        Assert.StartsWith("Losses of two tapes have no sum",
            Assert.Throws<InvalidOperationException>(() => Of(tape) + Of(new Tape(_device))).Message);
        Assert.Throws<ArgumentException>(() => float.NaN * Of(tape));
    }

    [Fact]
    public void Reading_a_gradient_that_nobody_wanted_is_refused()
    {
        Tensor plain = Tensor.Create(_device, new Shape(1, 2), name: "plain");
        Assert.StartsWith("plain has no gradient", Assert.Throws<InvalidOperationException>(plain.GradToArray).Message);
    }

    [Fact]
    public void Reading_a_tensor_that_is_never_stored_is_refused()
    {
        Tape tape = new(_device);
        Tensor normalised = tape.BatchNorm2d(tape.Conv2d(_x, _net.Parameters.Parameters[0], padding: 1), _net.BatchNorms[0], BnMode.Eval);
        tape.Forward();
        Assert.Contains("is never stored", Assert.Throws<InvalidOperationException>(normalised.ToArray).Message);
    }

    [Fact]
    public void Reading_after_another_tape_ran_is_refused()
    {
        var (first, logits) = Record(Gradients.None);
        var (second, others) = Record(Gradients.Inputs);
        first.Forward();
        float[] values = logits.ToArray();
        second.Run();
        Assert.Contains("another tape has run", Assert.Throws<InvalidOperationException>(logits.ToArray).Message);
        Bits.Equal(values, others.ToArray());
        first.Forward();
        Bits.Equal(values, logits.ToArray());
    }

    [Fact]
    public void Backward_without_its_forward_is_refused()
    {
        var (first, _) = Record(Gradients.Inputs);
        var (second, _) = Record(Gradients.Inputs);
        Assert.Throws<InvalidOperationException>(first.Backward);
        first.Forward();
        second.Forward();
        Assert.Throws<InvalidOperationException>(first.Backward);
        second.Backward();
        Assert.Equal("Backward needs this tape's values: run Forward right before it.",
            Assert.Throws<InvalidOperationException>(second.Backward).Message);
        second.Run();
        Assert.Throws<InvalidOperationException>(second.Backward);
        float[] gradient = _x.GradToArray();
        second.Forward();
        second.Backward();
        Bits.Equal(gradient, _x.GradToArray());
    }

    [Fact]
    public void Tensors_of_another_tape_are_refused()
    {
        var (_, logits) = Record(Gradients.None);
        var error = Assert.Throws<InvalidOperationException>(() => new Tape(_device).CrossEntropy(logits, _labels));
        Assert.Equal("logits [3, 4] belongs to another tape: copy its values to a tensor made by Tensor.Create.", error.Message);
    }

    [Fact]
    public void A_loss_with_weight_zero_gives_gradients_of_zero()
    {
        Tape tape = new(_device, Gradients.Inputs);
        Loss loss = 0 * tape.CrossEntropy(_net.Forward(tape, _x, BnMode.Eval), _labels);
        tape.Run();
        Assert.Equal(0, loss.Read());
        Assert.All(_x.GradToArray(), g => Assert.Equal(0f, g));
    }

    [Fact]
    public void A_profile_hears_of_every_node_and_of_the_end_of_each_pass()
    {
        var (tape, _) = Record(Gradients.Inputs);
        List<(string? Op, bool Backward)> heard = [];
        tape.OnNode = (node, backward) => heard.Add((node?.Op, backward));
        tape.Run();
        Assert.Equal(tape.Nodes.Select(n => n.Op), heard.TakeWhile(h => h.Op is not null).Select(h => h.Op));
        Assert.Equal([(null, false), (null, true)], heard.Where(h => h.Op is null));
        Assert.Equal("CrossEntropy", heard.First(h => h.Backward).Op);
    }

    private (Tape Tape, Tensor Logits) Record(Gradients gradients, BnMode mode = BnMode.Eval)
    {
        Tape tape = new(_device, gradients);
        Tensor logits = tape.Retain(_net.Forward(tape, _x, mode));
        tape.CrossEntropy(logits, _labels);
        return (tape, logits);
    }

    private (float[] Input, float[] Parameters) GradientsOf(Gradients gradients)
    {
        Record(gradients, BnMode.TrainFrozen).Tape.Run();
        return (Values(_x.Grad), Values(_net.Parameters.Gradients));
    }

    private static void NoGradient(Tensor tensor, string advice) =>
        Assert.Contains(advice, Assert.Throws<InvalidOperationException>(tensor.GradToArray).Message);

    private sealed class Constant(Tape tape) : Node
    {
        private readonly Tensor _ones = tape.NewTensor(new Shape(1, 2), Layout.Plain, "ones");

        public override string Op => "Constant";
        public override IReadOnlyList<Edge> Inputs => [];
        public override IReadOnlyList<Tensor> Outputs => [_ones];
        public override void Forward(IKernels kernels) => tape.Device.Upload([1f, 1f], _ones.Data);

        public override void Backward(IKernels kernels)
        {
        }
    }

    private float[] Values(DeviceBuffer buffer)
    {
        var values = new float[buffer.Length];
        _device.Download(buffer, values);
        return values;
    }

    private void Fill(DeviceBuffer buffer, float value)
    {
        var values = new float[buffer.Length];
        Array.Fill(values, value);
        _device.Upload(values, buffer);
    }
}
