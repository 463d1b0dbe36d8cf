namespace Rpat.Tests.Robust;

/// <summary>Attacks at several radii in one call, and robustness as an assertion.</summary>
public sealed class EpsilonSweepTests : IDisposable
{
    private const int Images = 12, Size = 3 * 8 * 8;

    private readonly Device _device = Device.Cpu(1);
    private readonly Classifier _net;
    private readonly float[] _images = new float[Images * Size];
    private readonly int[] _labels;

    public EpsilonSweepTests()
    {
        new RandomKey(1, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(_images);
        var weights = new float[3 * Size];
        new RandomKey(1, Purpose.Synthetic, 0, 1, 0, 0).Stream().FillUniform(weights);
        _net = new LinearNet(_device, Array.ConvertAll(weights, w => (w - 0.5) / 2), [0, 0, 0]);
        float[] logits = Logits();
        // one image is wrong from the start, if its class is not 1
        _labels = [.. Enumerable.Range(0, Images).Select(i => i == 5 ? 2 - ArgMax(logits, i) : ArgMax(logits, i))];
    }

    public void Dispose() => _device.Dispose();

    [Fact]
    public void MoreRoomNeverLeavesMoreImagesRight()
    {
        var sweep = EpsilonSweep.Run(_net, "pgd5", Norm.Linf, _images, _labels, [0.2, 1e-7, 0.01, 0.05]);
        Assert.Equal([1e-7, 0.01, 0.05, 0.2], sweep.Epsilons);
        Assert.Equal(Images, sweep.Images);
        for (int eps = 0; eps < 4; eps++)
        {
            Assert.Equal(Images - sweep.Success(eps).Count(true), sweep.Robust(eps));
            Assert.True(eps == 0 || sweep.Robust(eps) <= sweep.Robust(eps - 1));
            for (int i = 0; i < Images; i++) Assert.InRange(sweep.Norms(eps)[i], 0, sweep.Epsilons[eps] + 1e-6);
        }
        Assert.Equal(Clean(), sweep.Robust(0));
        Assert.True(sweep.Robust(3) < sweep.Robust(0));
        Assert.All(Enumerable.Range(0, Images).Where(i => sweep.Success(1)[i]), i => Assert.Equal(0, sweep.Queries(2)[i]));
    }

    [Fact]
    public void APartGivesWhatTheWholeGivesThere()
    {
        var whole = EpsilonSweep.Run(_net, "pgd3", Norm.L2, _images, _labels, [0.1, 0.5]);
        var part = EpsilonSweep.Run(_net, "pgd3", Norm.L2, _images.AsSpan(4 * Size, 5 * Size), _labels.AsSpan(4, 5), [0.1, 0.5],
            new SweepOptions { First = 4, Batch = 2 });
        for (int eps = 0; eps < 2; eps++)
        {
            Assert.Equal(whole.Success(eps).Slice(4, 5).ToArray(), part.Success(eps).ToArray());
            Assert.Equal(whole.Norms(eps).Slice(4, 5).ToArray(), part.Norms(eps).ToArray());
            Assert.Equal(whole.Queries(eps).Slice(4, 5).ToArray(), part.Queries(eps).ToArray());
        }
    }

    [Fact]
    public void ItTellsHowFarItIsAndStopsWhenAsked()
    {
        List<double> done = [];
        using var stop = new CancellationTokenSource();
        var options = new SweepOptions { Progress = new Now(share => { done.Add(share); stop.Cancel(); }), Cancellation = stop.Token };
        Assert.Throws<OperationCanceledException>(() => EpsilonSweep.Run(_net, "fgsm", Norm.Linf, _images, _labels, [0.01, 0.02], options));
        Assert.Equal([0.5], done);
    }

    [Fact]
    public void WhatCannotBeAttackedIsAnArgumentException()
    {
        Assert.Contains("no attack 'pgx'", Assert.Throws<ArgumentException>(
            () => EpsilonSweep.Run(_net, "pgx", Norm.Linf, _images, _labels, [0.1])).Message);
        Assert.Contains("radii above 0", Assert.Throws<ArgumentException>(
            () => EpsilonSweep.Run(_net, "fgsm", Norm.Linf, _images, _labels, [0.0])).Message);
        Assert.Contains("does not know the norm", Assert.Throws<ArgumentException>(
            () => EpsilonSweep.Run(_net, "fgsm", Norm.L2, _images, _labels, [0.1])).Message);
    }

    [Fact]
    public void RobustnessIsAnAssertion()
    {
        RobustAssert.Holds(_net, _images, _labels, eps: 1e-7, atLeast: (double)Clean() / Images, attack: "pgd3");
        var error = Assert.Throws<RobustnessException>(() => RobustAssert.Holds(_net, _images, _labels, eps: 128 / 255.0, atLeast: 0.95));
        Assert.Matches(
            @"^The network is right on \d+ of 12 images under pgd20 \(linf, eps 128/255\), \d+\.\d % with a 95 % interval of \d+\.\d to \d+\.\d %, where at least 95 % is wanted\.$", error.Message);
        Assert.Throws<ArgumentException>(() => RobustAssert.Holds(_net, _images, _labels, eps: 0.1, atLeast: 45));
    }

    [Fact]
    public void WhatLeftTheBallIsNotCounted()
    {
        var far = new Far(AttackCatalog.Make("pgd5", Norm.Linf, 0.2, 3).Attacks[0]);
        var jump = new Jump { Eps = 0.2 };
        Assert.All(new AttackRunner(_net).Perturb(jump, _images, _labels),
            o => Assert.True(!o.Fooled && (o.IsInfeasible || !o.WasCorrect)));
        Assert.Equal(Clean(), EpsilonSweep.Run(_net, _ => AttackSuite.Of("jump", jump), _images, _labels, [0.2]).Infeasible(0));
        var sweep = EpsilonSweep.Run(_net, eps => AttackSuite.Of("far", far with { Eps = eps }), _images, _labels, [1e-7, 0.01]);
        Assert.Equal(Clean(), sweep.Robust(1));
        Assert.InRange(sweep.Infeasible(1), 1, Clean());
        Assert.All(sweep.Norms(1).ToArray(), norm => Assert.Equal(0, norm));
        Assert.Equal(0, EpsilonSweep.Run(_net, "pgd5", Norm.Linf, _images, _labels, [0.2]).Infeasible(0));
    }

    private int Clean()
    {
        float[] logits = Logits();
        return _labels.Where((y, i) => ArgMax(logits, i) == y).Count();
    }

    private float[] Logits()
    {
        var tape = new Tape(_device);
        Tensor z = tape.Retain(_net.Forward(tape, Tensor.From(_device, new Shape(Images, Size), _images), BnMode.Eval));
        tape.Forward();
        return z.ToArray();
    }

    private static int ArgMax(float[] logits, int i) => Enumerable.Range(0, 3).MaxBy(k => logits[i * 3 + k]);

    /// <summary>Says that it fooled with a picture outside the box.</summary>
    private sealed record Jump : Attack
    {
        public override string Name => "jump";

        public override string Settings => "";

        internal override int Id => 1000;

        protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
            Task.FromResult(new AttackResult(Array.ConvertAll(subject.Image, x => x - 1.1f), true, 1, 0));
    }

    /// <summary>Attacks with another radius than it says.</summary>
    private sealed record Far(Attack Inner) : Attack
    {
        public override string Name => "far";

        public override string Settings => "";

        internal override int Id => 1001;

        protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) => Inner.Run(subject, part);
    }

    /// <summary>Tells at once, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Now(Action<double> tell) : IProgress<double>
    {
        public void Report(double value) => tell(value);
    }
}
