using Rpat.Tests.Robust.Attacks;
using Rpat.Tests.Samples;

namespace Rpat.Tests.Robust;

/// <summary>Each kind of broken model raises its flag (P22).</summary>
public sealed class EvaluationChecksTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rpat-checks-").FullName;
    private readonly Device _device = Device.Cpu(1);

    public void Dispose()
    {
        _device.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void A_sound_model_raises_none_but_that_the_images_are_few() => Assert.Equal(["few-points"], FlagsOf(Net()));

    [Fact]
    public void Probabilities_are_seen() =>
        Assert.Contains("probabilities", FlagsOf(Net((tape, z) => Rows(tape, z, Softmax, (_, dy) => dy))));

    [Fact]
    public void Noise_is_seen()
    {
        Random random = new(1);
        string[] flags = FlagsOf(Net((tape, z) => Rows(tape, z, x => Array.ConvertAll(x, v => v + 0.05f * (float)random.NextDouble()),
            (_, dy) => dy)));
        Assert.Contains("randomized", flags);
        Assert.DoesNotContain("batch-dependent", flags);
    }

    [Fact]
    public void Noise_in_a_transform_is_seen() => Assert.Contains("randomized", FlagsOf(Net(), transform: new GaussianNoise(0.05)));

    [Fact]
    public void Rounded_inputs_give_zero_gradients_and_only_square_breaks_them()
    {
        string[] flags = FlagsOf(Net(), eps: 0.2, transform: new Quantization(8, StraightThrough: false));
        Assert.Contains("zero-gradient", flags);
        Assert.Contains("loss-plateau", flags);
        Assert.Contains("square-improves", flags);
        Assert.Contains("black-box-wins", flags);
    }

    [Fact]
    public void Attacks_that_ask_nothing_or_leave_the_ball_are_named()
    {
        string[] said = [.. WarningsOf(Net(), 0.01, null, [new FreeAttack(), new FarAttack()]).Select(w => w.Message)];
        Assert.Contains(said, one => one.StartsWith("FreeAttack never asked the network", StringComparison.Ordinal));
        Assert.Contains(said, one => one.Contains(" results of FarAttack lay outside ball or box", StringComparison.Ordinal));
    }

    private sealed record FarAttack : FreeAttack
    {
        protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
        {
            await subject.Logits(subject.Image);
            return new([.. subject.Image.Select(v => 1 - v)], true, 0, 0);
        }
    }

    [Fact]
    public void A_radius_at_which_noise_is_enough_is_seen() => Assert.Contains("noise", FlagsOf(Net(), eps: 1));

    [Fact]
    public void Dlr_of_three_classes_is_as_defined_and_of_two_another_loss()
    {
        Assert.DoesNotContain("class-count", FlagsOf(Fixture.L(_device, 3)));
        Directory.Delete(Path.Combine(_root, "e"), recursive: true);
        Assert.Equal("With 2 classes the attacks take another loss: it is not the standard one.",
            WarningsOf(Fixture.L(_device, 2), 0.01, null, [Apgd.Dlr with { Steps = 3 }]).Single(w => w.Flag == "class-count").Message);
        Directory.Delete(Path.Combine(_root, "e"), recursive: true);
        Assert.Equal("With 3 classes the attacks take fewer targets and another loss: it is not the standard one.", WarningsOf(
            Fixture.L(_device, 3), 0.01, null, [Apgd.Targeted with { Steps = 3 }]).Single(w => w.Flag == "class-count").Message);
    }

    [Fact]
    public void What_a_larger_radius_takes_over_is_no_attack_that_asked_nothing()
    {
        var f = Net();
        var plan = new EvaluationPlan
        {
            Norm = Norm.Linf,
            Radii = [new("small", 0.05), new("large", 0.1)],
            Model = "net",
            ModelHash = "net",
            Data = "data",
            Batch = 16,
            SuitesAt = e => [AttackCatalog.Make("pgd5", Norm.Linf, e, 10)],
        };
        string folder = Path.Combine(_root, "radii");
        var report = new RobustEvaluation(f.Net, plan, f.Images, f.Labels, folder, Fixture.Image)
        { SkipSelfTest = true }.Run(resume: false);
        Assert.InRange(report.Columns[0].Robust, 0, report.CleanCorrect - 1);
        Assert.DoesNotContain(report.Warnings, w => w.Flag == "no-query");
    }

    [Fact]
    public void A_model_that_looks_at_its_batch_is_seen() => Assert.Contains(
        "batch-dependent", FlagsOf(Net((tape, z) => Rows(tape, z, x => [.. x.Select(v => v - x.Average())], (_, dy) => dy))));

    [Fact]
    public void A_model_that_computes_gradients_in_its_forward_pass_is_seen()
    {
        Tensor own = Tensor.From(_device, new Shape(1, 2), [1, 2], needsGrad: true);
        string[] flags = FlagsOf(Net((tape, z) => Rows(tape, z, x =>
        {
            Tape inner = new(_device, Gradients.Inputs);
            inner.CrossEntropy(own, Labels.From(_device, [0]));
            // The outer tape owns the arena while it runs, so the count alone is what this stands for.
            _device.BackwardPasses++;
            return x;
        }, (_, dy) => dy)));
        Assert.Contains("dynamic", flags);
    }

    private static Tensor Rows(Tape tape, Tensor z, Func<float[], float[]> map, Func<float[], float[], float[]> back) =>
        tape.Record(new RowNode(tape, z, map, back)).Output;

    private static float[] Softmax(float[] x) => [.. x.Chunk(10).SelectMany(row =>
    {
        double[] e = Array.ConvertAll(row, v => Math.Exp(v - row.Max()));
        return e.Select(v => (float)(v / e.Sum()));
    })];

    private Fixture Net(Func<Tape, Tensor, Tensor>? last = null) => Fixture.M(_device, last);

    private string[] FlagsOf(Fixture f, double eps = 0.01, InputTransform? transform = null) => [.. WarningsOf(f, eps, transform,
        [Apgd.CrossEntropy with { Steps = 5 }, .. f.Net.Classes < 4 ? (Attack[])[Apgd.Dlr with { Steps = 3 }] : [],
            new Square { Steps = 60 }])
        .Select(w => w.Flag)];

    private IReadOnlyList<EvaluationWarning> WarningsOf(Fixture f, double eps, InputTransform? transform, IReadOnlyList<Attack> attacks)
    {
        EvaluationPlan plan = new()
        {
            Norm = Norm.Linf,
            Radii = [new("e", eps)],
            Model = "net",
            ModelHash = "net",
            Data = "data",
            Transform = transform,
            Batch = 16,
            SuitesAt = e => [new AttackSuite("small", "small", [.. attacks.Select(attack => attack with { Eps = e })])],
        };
        var report = new RobustEvaluation(f.Net, plan, f.Images, f.Labels, Path.Combine(_root, "e"), Fixture.Image)
        { SkipSelfTest = true }.Run(resume: false);
        return report.Warnings;
    }
}
