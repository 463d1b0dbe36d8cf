using ILGPU;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Graphs;
using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Robust;
using Rpat.Tests.Support;

namespace Rpat.Tests.Gpu.Graphs;

/// <summary>Captured steps: legal, launched as often as they should be, and the same bits as kernel by kernel.</summary>
public class CaptureTests
{
    private const int Batch = 2;

    private static readonly Lazy<string> _oneByOne = new(() => Train(null)); // kernel by kernel

    [Fact]
    public void Attacks_are_captured_in_the_second_run_and_have_the_same_bits()
    {
        var driver = new RecordingDriver();
        float[][] plain = Attacks(null, 4), captured = Attacks(driver, 4);
        for (int i = 0; i < plain.Length; i++) Assert.Equal(plain[i], captured[i]);
        Assert.Equal(["begin", "end", "launch", "launch", "launch"], driver.Calls);
        Assert.True(driver.Sizes[0] > 2 * 40, $"two iterations are {driver.Sizes[0]} kernels"); // forward, backward and step of a small net
    }

    [Fact]
    public void Training_steps_are_captured_and_leave_the_same_weights()
    {
        var driver = new RecordingDriver();
        Assert.Equal(_oneByOne.Value, Train(driver));
        Assert.Equal(2, driver.Calls.Count(call => call == "end")); // the attack and the pass
        Assert.Equal(2 + 3, driver.Calls.Count(call => call == "launch")); // the pass made the arena larger, which the attack shares
    }

    [Fact]
    public void A_driver_that_refuses_is_mentioned_once_and_changes_nothing()
    {
        foreach (string call in new[] { "begin", "end" })
        {
            var driver = new RecordingDriver { Refuses = call };
            var notes = new List<string>();
            Assert.Equal(_oneByOne.Value, Train(driver, notes));
            string note = Assert.Single(notes);
            Assert.Equal($"simulator does not capture steps, since the test's driver refuses to {call}: kernels are launched one by one.",
                note);
        }
    }

    [Fact]
    public void Another_weight_of_the_loss_is_recorded_anew()
    {
        var driver = new RecordingDriver();
        Assert.Equal(Weighted(null), Weighted(driver));
        Assert.Equal(["begin", "end", "launch", "dispose", "begin", "end", "launch"], driver.Calls);
    }

    [Fact]
    public void Memory_that_moved_is_recorded_anew()
    {
        var driver = new RecordingDriver();
        using var device = TestGpu.Open(driver: driver);
        var (_, tape, loss) = Sum(device, 8);
        var routine = new GraphCapture(device, tape.Run);
        for (int i = 0; i < 3; i++) routine.Run();
        Sum(device, 8, samples: 512).Tape.Run(); // needs a larger arena
        for (int i = 0; i < 3; i++) routine.Run();
        Assert.Equal(["begin", "end", "launch", "launch", "dispose", "begin", "end", "launch", "launch"], driver.Calls);
        var (_, plain, expected) = Sum(device, 8);
        double captured = loss.Read();
        plain.Run();
        Assert.Equal(expected.Read(), captured);
    }

    /// <summary>Their packed weights and values lie in one memory, each over the others'.</summary>
    [Fact]
    public void Tapes_that_take_turns_have_the_same_bits_and_lose_the_same_values()
    {
        float[] Gradient(RecordingDriver? driver)
        {
            using var device = TestGpu.Open(driver: driver);
            var (a, x, z) = Attacked(device, width: 4);
            var (b, _, _) = Attacked(device, width: 8);
            var routine = new GraphCapture(device, () =>
            {
                a.Run();
                b.Run();
                a.Run();
            });
            for (int i = 0; i < 4; i++)
            {
                routine.Run();
                Assert.Contains("is gone", Assert.Throws<InvalidOperationException>(() => z.ToArray()).Message);
            }
            return x.GradToArray();
        }
        var driver = new RecordingDriver();
        Assert.Equal(Gradient(null), Gradient(driver));
        Assert.Equal(["begin", "end", "launch", "launch", "launch"], driver.Calls);
    }

    // z: a value in the middle, whose memory later ops use.
    private static (Tape Tape, Tensor X, Tensor Z) Attacked(Device device, int width)
    {
        var tape = new Tape(device, Gradients.Inputs);
        var x = Tensor.From(device, TestNets.Image.WithBatch(Batch), TestNets.Images(Batch, seed: 1), needsGrad: true);
        Tensor z = TestNets.Small(device, width).Forward(tape, x, BnMode.Eval);
        tape.CrossEntropy(z, Labels.From(device, TestNets.ClassesOf(Batch)));
        return (tape, x, z);
    }

    [Fact]
    public void A_record_that_is_forgotten_is_freed()
    {
        var driver = new RecordingDriver();
        using var device = TestGpu.Open(driver: driver);
        var routine = new GraphCapture(device, Sum(device, 8).Tape.Run);
        for (int i = 0; i < 3; i++) routine.Run();
        routine.Forget();
        for (int i = 0; i < 2; i++) routine.Run();
        Assert.Equal(["begin", "end", "launch", "launch", "dispose", "begin", "end", "launch"], driver.Calls);
    }

    [Fact]
    public void Other_images_are_recorded_anew()
    {
        var driver = new RecordingDriver();
        using var device = TestGpu.Open(driver: driver);
        var pgd = new Pgd(TestNets.Small(device, width: 4), PgdOptions.Linf with { Steps = 1 });
        Tensor[] images = [Images(device, 1), Images(device, 2)];
        foreach (int i in new[] { 0, 0, 1, 1, 1 }) Perturb(device, pgd, images[i]);
        Assert.Equal(["begin", "end", "launch", "dispose", "begin", "end", "launch", "launch"], driver.Calls);
    }

    [Theory]
    [InlineData("copies to the host")]
    [InlineData("copies from the host")]
    [InlineData("waits for the device")]
    [InlineData("allocates memory")]
    public void Work_that_cannot_be_recorded_runs_as_it_is(string what)
    {
        var driver = new RecordingDriver();
        using var device = TestGpu.Open(driver: driver);
        var notes = new List<string>();
        device.Noted += notes.Add;
        var (x, tape, _) = Sum(device, 8);
        int runs = 0;
        var routine = new GraphCapture(device, () =>
        {
            tape.Run();
            Do(what, device, x);
            runs++;
        });
        for (int i = 0; i < 4; i++) routine.Run();
        Assert.Equal(4, runs);
        Assert.Equal(["begin", "abandon"], driver.Calls);
        Assert.Equal($"simulator does not capture this step, since the work {what}: kernels are launched one by one.",
            Assert.Single(notes));
    }

    [Fact]
    public void Labels_are_checked_before_a_launch()
    {
        using var device = TestGpu.Open(driver: new RecordingDriver());
        var tape = new Tape(device, Gradients.Inputs);
        var labels = Labels.From(device, [0, 1]);
        tape.CrossEntropy(Tensor.From(device, new Shape(2, 3), [1, 2, 3, 4, 5, 6], needsGrad: true), labels);
        var routine = new GraphCapture(device, tape.Run);
        for (int i = 0; i < 3; i++) routine.Run();
        Assert.True(routine.IsCaptured);
        labels.Upload([0, 3]);
        Assert.Contains("label 3 of sample 1", Assert.Throws<ShapeException>(() => routine.Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_sees_every_node()
    {
        using var device = TestGpu.Open(driver: new RecordingDriver());
        var (_, tape, _) = Sum(device, 8);
        var routine = new GraphCapture(device, tape.Run);
        for (int i = 0; i < 3; i++) routine.Run();
        using var profile = new TapeProfile(tape);
        routine.Run();
        Assert.False(routine.IsCaptured);
        Assert.NotEmpty(profile.Rows);
    }

    [FactWith(Need.NoDriver)]
    public void A_machine_without_a_driver_says_so()
    {
        using var context = Context.Create(builder => builder.CPU());
        using var accelerator = context.CreateCPUAccelerator(0);
        var stream = (CudaStream)RuntimeHelpers.GetUninitializedObject(typeof(CudaStream)); // only a GPU makes real ones
        GC.SuppressFinalize(stream);
        var refused = Assert.Throws<GraphException>(() => new CudaGraphs(accelerator).Begin(stream));
        Assert.StartsWith("the driver has no cuStreamBeginCapture_v2", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.IsFinal);
    }

    private static void Do(string what, Device device, Tensor x)
    {
        if (what == "copies to the host") x.ToArray();
        else if (what == "copies from the host") x.Upload(new float[8]);
        else if (what == "waits for the device") device.Synchronize();
        else device.Allocate(1);
    }

    private static float[][] Attacks(RecordingDriver? driver, int runs)
    {
        using var device = TestGpu.Open(driver: driver);
        var net = TestNets.Small(device, width: 4);
        var pgd = new Pgd(net, PgdOptions.Linf with { Steps = 2 });
        var x = Images(device, 1);
        return [.. Enumerable.Range(0, runs).Select(run =>
        {
            if (run == 2) net.Parameters.BumpVersion(); // other weights: what is derived from them is made again
            return Perturb(device, pgd, x);
        })];
    }

    private static Tensor Images(Device device, int seed) =>
        Tensor.From(device, TestNets.Image.WithBatch(Batch), TestNets.Images(Batch, seed));

    private static float[] Perturb(Device device, Pgd pgd, Tensor x) =>
        pgd.Perturb(x, Labels.From(device, TestNets.ClassesOf(Batch)), TestNets.Key, TestNets.Indices(Batch)).ToArray();

    /// <summary>Four steps, so that recorded work is launched with weights that it was not recorded with.</summary>
    private static string Train(RecordingDriver? driver, List<string>? notes = null)
    {
        using var device = TestGpu.Open(driver: driver);
        if (notes is not null) device.Noted += notes.Add;
        PreActResNet net = TestNets.Small(device, width: 4);
        var step = new TrainingStep(net, new PgdAt(PgdOptions.Linf with { Steps = 1 }).With(new RobustPerception()),
            new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7);
        for (int i = 0; i < 4; i++)
            step.Run(TestNets.Images(Batch, seed: 10 + i), TestNets.ClassesOf(Batch), TestNets.Indices(Batch), epoch: 1,
                rate: 0.1f / (1 + i));
        return string.Join('\n', net.State().Select(a => $"{a.Name} {Convert.ToHexString(Bytes(a))}"));
    }

    private static byte[] Bytes(NamedArray a) => MemoryMarshal.AsBytes<float>(a.ToFloats()).ToArray();

    private static float[] Weighted(RecordingDriver? driver)
    {
        using var device = TestGpu.Open(driver: driver);
        var (x, tape, loss) = Sum(device, 8);
        var routine = new GraphCapture(device, tape.Run);
        var gradients = new List<float>();
        foreach (float weight in new[] { 1f, 1f, 3f, 3f })
        {
            loss.Terms[0].Weight = weight;
            routine.Run();
            gradients.AddRange(x.GradToArray());
        }
        return [.. gradients];
    }

    /// <summary>The mean divergence of softmax(x) from the uniform distribution over equal samples.</summary>
    private static (Tensor X, Tape Tape, Loss Loss) Sum(Device device, int n, int samples = 1)
    {
        var tape = new Tape(device, Gradients.Inputs);
        var x = Tensor.From(device, new Shape(samples, n), [.. Enumerable.Range(0, samples * n).Select(i => 1f / (1 + i % n))],
            needsGrad: true);
        var loss = tape.KlDivergence(Tensor.Create(device, x.Shape), x);
        return (x, tape, loss);
    }
}
