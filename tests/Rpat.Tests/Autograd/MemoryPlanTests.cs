using Rpat.Engine.Kernels.Cpu;
using Rpat.Tests.Support;

namespace Rpat.Tests.Autograd;

public class MemoryPlanTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Buffers_that_live_at_the_same_time_never_overlap(int seed)
    {
        using GraphRun graph = new(seed, seed % 3 == 0 ? Gradients.Inputs : Gradients.Inputs | Gradients.Parameters);
        graph.Run();
        Lifetimes lifetimes = new(graph.Tape, graph.Logits);
        var places = lifetimes.All.ToArray();
        Assert.True(places.Length > 30);
        for (int i = 0; i < places.Length; i++)
            for (int j = 0; j < i; j++)
                AssertApart(lifetimes, (places[i].Key, places[i].Value), (places[j].Key, places[j].Value));
    }

    [Fact]
    public void A_value_whose_memory_later_ops_use_is_not_read_as_theirs()
    {
        using Device device = Device.Cpu(1);
        Tape tape = new(device);
        Tensor ones = Tensor.From(device, new Shape(3, 3), [1, 1, 1, 1, 1, 1, 1, 1, 1]);
        Tensor samples = tape.Multiply(ones, Tensor.From(device, new Shape(3, 1), [1, 2, 3]));
        Tensor channels = tape.Retain(tape.Multiply(ones, Tensor.From(device, new Shape(1, 3), [1, 2, 3])));
        Tensor kept = tape.Retain(tape.Multiply(ones, Tensor.From(device, new Shape(3, 1), [1, 2, 3])));
        tape.Forward();
        Assert.Equal([1, 1, 1, 2, 2, 2, 3, 3, 3], kept.ToArray());
        Assert.Equal([1, 2, 3, 1, 2, 3, 1, 2, 3], channels.ToArray());
        Assert.Contains("call tape.Retain", Assert.Throws<InvalidOperationException>(() => samples.ToArray()).Message);
    }

    /// <summary>A sum passes its gradient on in the same memory, where the other reader's is added.</summary>
    [Fact]
    public void A_gradient_is_not_read_as_that_of_another_tensor_or_of_no_backward_pass()
    {
        using Device device = Device.Cpu(1);
        Tape tape = new(device, Gradients.Inputs);
        Tensor x = Tensor.From(device, new Shape(1, 4), [1, 2, 3, 4], needsGrad: true);
        Tensor h = tape.ToActivations(tape.Multiply(x, Tensor.From(device, new Shape(1, 1), [2])));
        Tensor y = tape.Add(h, tape.Tanh(h));
        tape.Sum(tape.GlobalAveragePool(y));
        tape.Forward();
        Assert.Contains("no backward pass computed it", Assert.Throws<InvalidOperationException>(() => h.GradToArray()).Message);
        tape.Run();
        Assert.All(h.GradToArray().Index(), one => Assert.Equal(2 - Math.Pow(Math.Tanh(2 * (one.Index + 1)), 2), one.Item, 1e-5));
        Assert.Contains("later ops of its tape use its memory", Assert.Throws<InvalidOperationException>(() => y.GradToArray()).Message);
        Assert.All(x.GradToArray().Zip([1, 2, 3, 4]), pair =>
            Assert.Equal(2 * (2 - Math.Pow(Math.Tanh(2 * pair.Second), 2)), pair.First, 1e-5));
    }

    [Fact]
    public void What_would_write_beside_its_memory_is_refused()
    {
        using Device device = Device.Cpu(1);
        var store = new ParameterStore(device);
        Assert.Contains("w [64, 64, 3, 3] is of another number of values than [1, 9]",
            Assert.Throws<ShapeException>(() => store.Declare("w", new Shape(1, 9), 64, 64, 3, 3)).Message);
        DeviceBuffer buffer = device.Allocate(64);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.View(-64, 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.View(64, -1));
        Tape one = new(device), other = new(device);
        Tensor x = Tensor.From(device, new Shape(1, 2), [1, 2]), y = one.Retain(one.Multiply(x, x));
        other.Retain(other.Multiply(x, x));
        one.Forward();
        y.Upload([3, 4]);
        other.Forward();
        Assert.Contains("another tape has run", Assert.Throws<InvalidOperationException>(() => y.Upload([3, 4])).Message);
        Tensor image = Tensor.From(device, new Shape(1, 1), [1]);
        Assert.Contains("is over 2^31 - 1 values", Assert.Throws<ShapeException>(
            () => new Tape(device).NewTensor(new Shape(1, 1, 65536, 65536), Layout.Blocked, "map")).Message);
        Assert.Contains("fewer values", Assert.Throws<ShapeException>(() => one.Scaled(image, image, image)).Message);
    }

    [Fact]
    public void An_op_whose_gradient_reads_what_it_did_not_save_is_told_so()
    {
        using Device device = Device.Cpu(1);
        Tape tape = new(device, Gradients.Inputs);
        Tensor x = Tensor.From(device, new Shape(2, 3), [1, 2, 3, 4, 5, 6], needsGrad: true);
        Tensor two = Tensor.From(device, new Shape(1, 1), [2]);
        Tensor square = tape.Record(new ForgetfulSquare(tape, tape.Multiply(x, two))).Outputs[0];
        tape.CrossEntropy(tape.Multiply(tape.Multiply(square, two), two), Labels.From(device, [0, 1]));
        Assert.Contains("Node.Saved", Assert.Throws<InvalidOperationException>(tape.Run).Message);
    }

    private sealed class ForgetfulSquare : Node
    {
        public ForgetfulSquare(Tape tape, Tensor x)
        {
            Inputs = [tape.AddStoredInput(x)];
            Outputs = [tape.NewTensor(x.Shape, x.Layout, "square")];
        }

        public override string Op => "Square";
        public override IReadOnlyList<Edge> Inputs { get; }
        public override IReadOnlyList<Tensor> Outputs { get; }

        public override void Forward(IKernels k) => k.Lerp(Outputs[0].Shape.Count, Inputs[0].Data, Inputs[0].Data, 0.5f, Outputs[0].Data);

        public override void Backward(IKernels k) =>
            k.Lerp(Outputs[0].Shape.Count, Inputs[0].Data, Outputs[0].Grad, 0.5f, Inputs[0].Grad);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_can_be_read_after_a_run_is_what_was_computed(int seed)
    {
        using GraphRun graph = new(seed);
        graph.Run();
        var all = graph.Tape.Nodes.SelectMany(node => node.Outputs).Where(t => t.View is null).ToArray();
        var shared = all.ToDictionary(t => t, Readable);
        graph.GiveOwnMemory(new Lifetimes(graph.Tape, graph.Logits).All);
        foreach (var tensor in all) (tensor.DataLostAt, tensor.GradLostAt) = (int.MaxValue, int.MaxValue);
        graph.Run();
        foreach (var (tensor, values) in shared.Where(pair => pair.Value is not null)) Bits.Equal(values!, tensor.ToArray());
        Assert.Contains(shared.Values, values => values is null);

        static float[]? Readable(Tensor tensor)
        {
            try { return tensor.ToArray(); }
            catch (InvalidOperationException) { return null; }
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Sharing_memory_changes_no_bit(int seed)
    {
        using GraphRun graph = new(seed);
        float[] planned = graph.Run();
        Assert.All(planned, v => Assert.True(float.IsFinite(v)));
        graph.GiveOwnMemory(new Lifetimes(graph.Tape, graph.Logits).All);
        Bits.Equal(planned, graph.Run());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_replay_gives_the_same_bits_whatever_the_arena_held(int seed)
    {
        using GraphRun graph = new(seed);
        float[] first = graph.Run();
        Bits.Equal(first, graph.Run());
        graph.PoisonArena();
        Bits.Equal(first, graph.Run());
    }

    [Theory]
    [InlineData(Gradients.None)]
    [InlineData(Gradients.Inputs)]
    [InlineData(Gradients.Parameters)]
    public void Fewer_gradients_need_no_more_memory(Gradients gradients)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            using GraphRun all = new(seed), some = new(seed, gradients);
            float loss = all.Run()[0];
            Assert.Equal(loss, some.Run()[0]);
            Assert.InRange(some.Tape.PlannedBytes - KeptWeightBytes(some.Tape), 1, all.Tape.PlannedBytes);
        }
    }

    [Fact]
    public void The_plan_shares_memory()
    {
        using GraphRun graph = new(seed: 1);
        graph.Run();
        long separate = new Lifetimes(graph.Tape, graph.Logits).All.Keys.Sum(p => p.Buffer.Length) * sizeof(float);
        Assert.InRange(graph.Tape.PlannedBytes, 1, separate * 3 / 4);
    }

    /// <summary>What a tape without weight gradients holds on to from run to run, each copy rounded up to 256 bytes.</summary>
    private static long KeptWeightBytes(Tape tape)
    {
        if (tape.Gradients.HasFlag(Gradients.Parameters)) return 0;
        var derived = tape.Nodes.SelectMany(n => n.ForwardWeights.Concat(n.BackwardWeights)).Select(w => w.Storage);
        return new Lifetimes(tape).All.Keys.Select(p => p.Tensor).Intersect(derived).Sum(t => (t.StorageLength + 63) / 64 * 256);
    }

    private static void AssertApart(Lifetimes lifetimes, (Place Place, Lifetime Life) a, (Place Place, Lifetime Life) b)
    {
        int from = Math.Max(a.Life.First, b.Life.First), to = Math.Min(a.Life.Last, b.Life.Last);
        if (from > to || !Overlap(a.Place.Buffer, b.Place.Buffer)) return;
        if (from == to && lifetimes.MayShare(a.Place, b.Place, from)) return;
        Assert.Fail($"{a.Place} and {b.Place} overlap in steps {from} to {to}.");
    }

    private static unsafe bool Overlap(DeviceBuffer a, DeviceBuffer b) =>
        a.Floats() < b.Floats() + b.Length && b.Floats() < a.Floats() + a.Length;
}
