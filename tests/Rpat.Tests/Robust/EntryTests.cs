using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>What the entries of attacks and evaluations refuse, each in one sentence.</summary>
public sealed class EntryTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);
    private readonly Classifier _net;
    private readonly float[] _images = TestNets.Images(2, seed: 1);
    private readonly Labels _labels;

    public EntryTests() => (_net, _labels) = (TestNets.Small(_device, width: 4), Labels.From(_device, [0, 1]));

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(200f, "Image 1 holds 200 where pixels from 0 to 1 are expected: divide pixels by 255.")]
    [InlineData(-0.5f, "undo the normalisation")]
    [InlineData(float.NaN, "check how it was made")]
    public void WhatIsNoImageIsRefusedEverywhere(float pixel, string sentence)
    {
        _images[^1] = pixel;
        Refused(() => new Pgd(_net, PgdOptions.Linf).Perturb(Batch(_images), _labels, TestNets.Key, [0, 1]), sentence);
        Refused(() => new AttackRunner(_net).Perturb(new Fgsm(), _images, [0, 1]), sentence);
        Refused(() => EpsilonSweep.Run(_net, "fgsm", Norm.Linf, _images, [0, 1], [0.1]), sentence);
        Refused(() => RobustAssert.Holds(_net, _images, [0, 1], 0.1, 0.5), sentence);
        Refused(() => _net.Predict(_images), sentence);
        Assert.Throws<DataException>(() => Set(_images, [0, 1]));
    }

    [Fact]
    public void CountsThatDifferAreRefusedEverywhere()
    {
        Refused(() => EpsilonSweep.Run(_net, "fgsm", Norm.Linf, _images, [0], [0.1]), "not 1 images");
        Refused(() => RobustAssert.Holds(_net, _images, [0, 1, 2], 0.1, 0.5), "not 3 images");
        var runner = new AttackRunner(_net);
        Refused(() => runner.Perturb(new Fgsm(), _images, [0, 1], samples: [5]), "2 sample indices, got 1");
        Refused(() => runner.Perturb(new Fgsm(), _images, [0, 1], goals: [1, 2, 3]), "2 goals, got 3");
        Refused(() => runner.Perturb(new Fgsm(), _images, [0, 1], goals: [1, 5]), "not a class of 0 to 4");
        Assert.Throws<ShapeException>(() => Predictions.Accuracy(new float[7], [0, 1]));
        Assert.Throws<ShapeException>(() => Predictions.Accuracy(new float[8], [0, 4]));
        Assert.Throws<DataException>(() => Set(_images, [0]));
    }

    [Fact]
    public void ASetIsOfTheNetworksImagesAndClasses()
    {
        var evaluator = new Evaluator(_net);
        foreach (var (c, h, w) in new[] { (1, 2, 2), (3, 6, 24), (12, 6, 6), (432, 1, 1) })
        {
            var set = LabeledImages.FromFloats("other", c, h, w, new float[2 * c * h * w], [0, 1]);
            Assert.Throws<ShapeException>(() => evaluator.Run(set));
            Assert.Throws<ShapeException>(() => evaluator.Logits(set));
        }
        Refused(() => evaluator.Run(Set(_images, [0, 5])), "not a class of 0 to 4");
        var step = new TrainingStep(_net, new Clean(), new Sgd(_net.Parameters), seed: 1);
        Refused(() => step.Run(_images, [0, 5], [0, 1], epoch: 1, rate: 0.1f), "not a class of 0 to 4");
        Refused(() => new TrainingStep(_net, new Clean(), new Sgd(TestNets.Small(_device).Parameters), seed: 1), "of another network");
    }

    [Fact]
    public void WhatIsOnAnotherDeviceIsRefused()
    {
        using var there = Device.Cpu(1);
        var pgd = new Pgd(_net, PgdOptions.Linf);
        Tensor here = Batch(_images), far = Tensor.From(there, here.Shape, _images);
        Assert.Throws<ShapeException>(() => pgd.Perturb(far, _labels, TestNets.Key, [0, 1]));
        Assert.Throws<ShapeException>(() => pgd.Perturb(here, Labels.From(there, [0, 1]), TestNets.Key, [0, 1]));
        Assert.Throws<ShapeException>(() => pgd.Perturb(here, _labels, TestNets.Key, [0, 1], start: far));
    }

    [Theory]
    [InlineData("linf", 8f, 0.1f, "(0, 1]")]
    [InlineData("l2", 128f, 0.1f, "(0, 20.78]")]
    [InlineData("l1", 3060f, 1f, "(0, 432]")]
    [InlineData("linf", 8 / 255f, 2f, "step size 2")]
    [InlineData("linf", 8 / 255f, 1f, "step size 1")]
    [InlineData("l2", 128 / 255f, 15f, "step size 15")]
    [InlineData("l2", 0.5f, -0.1f, "step size -0.1")]
    [InlineData("l2", 0.5f, float.NaN, "step size NaN")]
    public void LengthsInLevelsAreRefused(string norm, float eps, float step, string part)
    {
        var options = new PgdOptions { Norm = Norm.Parse(norm), Eps = eps, StepSize = step };
        Refused(() => new Pgd(_net, options), part);
        var attack = new PgdAttack { Norm = options.Norm, Eps = eps, StepSize = step };
        Refused(() => new AttackRunner(_net).Perturb(attack, _images, [0, 1]), part);
        Refused(() => new Evaluator(_net).Run(Set(_images, [0, 1]), AttackSuite.Of("own", attack)), part);
    }

    [Fact]
    public void AnAttackOfNoStepsIsNone()
    {
        Func<object>[] none =
        [
            () => new PgdAttack { Steps = 0 }, () => new PgdAttack { Draws = 0 }, () => new PgdAttack { Restarts = 0 },
            () => new Apgd { Steps = 0 }, () => new Apgd { Draws = -1 }, () => new MiFgsm { Steps = 0 }, () => new Fab { Steps = 0 },
            () => new Square { Steps = -1 }, () => new DeepFool { Steps = 0 },
            () => new CarliniWagner { Searches = 0 }, () => new CarliniWagner { Iterations = 0 },
            () => new PgdOptions { Steps = 0 }, () => new PgdOptions { Restarts = 0 }, () => PgdOptions.L2 with { Steps = -1 },
        ];
        Assert.All(none, make => Refused(make, "which makes no attack: give 1 or more."));
        Refused(() => new DeepFool { Candidates = 1 }, "Candidates is 1, which makes no attack: give 2 or more.");
        Action[] many = [() => new Apgd { Draws = 65 }, () => new PgdAttack { Draws = 65 }];
        Assert.All(many, make => Refused(make, "Draws is 65: a gradient is averaged over 1 to 64 draws."));
        Refused(() => EpsilonSweep.Run(_net, "Clean", Norm.Linf, _images, [0, 1], [0.1]), "new Evaluator(net).Run(images)");
        Assert.Equal(2, new Evaluator(_net).Run(Set(_images, [0, 1])).Count);
    }

    [Fact]
    public void WhatIsNullIsNamed()
    {
        var runner = new AttackRunner(_net);
        foreach (var (name, use) in new (string, Action)[]
        {
            ("Norm", () => _ = new PgdAttack { Norm = null! }), ("Loss", () => _ = new PgdAttack { Loss = null! }),
            ("Loss", () => _ = new Apgd { Loss = null! }), ("Loss", () => _ = new PgdOptions { Loss = null! }),
            ("Norm", () => _ = new PgdOptions { Norm = null! }), ("options", () => _ = new Pgd(_net, null!)),
            ("net", () => EpsilonSweep.Run(null!, "fgsm", Norm.Linf, _images, [0, 1], [0.1])),
            ("name", () => EpsilonSweep.Run(_net, null!, Norm.Linf, _images, [0, 1], [0.1])),
            ("norm", () => EpsilonSweep.Run(_net, "fgsm", null!, _images, [0, 1], [0.1])),
            ("epsilons", () => EpsilonSweep.Run(_net, "fgsm", Norm.Linf, _images, [0, 1], null!)),
            ("suiteAt", () => EpsilonSweep.Run(_net, null!, _images, [0, 1], [0.1])),
            ("attack", () => runner.Perturb(null!, _images, [0, 1])), ("images", () => new Evaluator(_net).Run(null!)),
            ("images", () => new Evaluator(_net).Logits(null!)), ("net", () => Verification.Run("nowhere", null!)),
            ("plan", () => _ = new RobustEvaluation(_net, null!, _images, [0, 1], "nowhere")),
            ("labels", () => _ = new RobustEvaluation(_net, Plan("net"), _images, null!, "nowhere")),
            ("objective", () => _ = new TrainingStep(_net, null!, new Sgd(_net.Parameters), seed: 1)),
            ("net", () => _ = new TrainingStep(null!, new Clean(), new Sgd(_net.Parameters), seed: 1)),
            ("state", () => _net.Load((IReadOnlyDictionary<string, NamedArray>)null!)),
            ("tape", () => _net.Forward(null!, Batch(_images), BnMode.Eval)),
            ("x", () => _net.Forward(new Tape(_device), null!, BnMode.Eval)), ("device", () => _ = new Tape(null!)),
            ("path", () => WeightFile.Open(null!)), ("tensors", () => Safetensors.Write("never.safetensors", null!)),
            ("body", () => _ = new Residual(null!)), ("layers", () => _ = new Sequential(null!)),
            ("options", () => _ = new PreActResNet(_device, null!, seed: 1)), ("spec", () => ModelCatalog.Build(_device, null!, 1)),
            ("typed", () => MethodCatalog.Make(null!, new Dictionary<string, string>(), PgdOptions.Linf)),
            ("images", () => LabeledImages.FromFloats("own", 1, 1, 1, null!, [])),
        })
            Assert.Equal(name, Assert.Throws<ArgumentNullException>(use).ParamName);
        Refused(() => EpsilonSweep.Run(_net, _ => null!, _images, [0, 1], [0.1]), "A suite or one of its attacks is null");
    }

    [Fact]
    public void ARadiusOfZeroIsAnIntegerDivision()
    {
        const double eps = 8 / 255; // as one types it
        Refused(() => new AttackRunner(_net).Perturb(new Fgsm { Eps = eps }, _images, [0, 1]), "C# writes as 8 / 255.0");
        Refused(() => new Evaluator(_net).Run(Set(_images, [0, 1]), AttackCatalog.Find("fgsm", Norm.Linf, eps, 5)!), "8 / 255.0");
        Refused(() => RobustAssert.Holds(_net, _images, [0, 1], eps, 0.5), "Give radii above 0, such as 8 / 255.0: 8 / 255 is 0 in C#.");
        Refused(() => new AttackRunner(_net).Perturb(new PgdAttack { StepSize = 2 / 255 }, _images, [0, 1]), "C# writes as 2 / 255.0");
        Refused(() => new Pgd(_net, PgdOptions.Linf with { StepSize = 9 }), "fit the radius 0.03137255:");
        Refused(() => WilsonInterval.Of(-1, 3), "-1 of 3 is no share: count from 0 to all.");
    }

    [Theory]
    [InlineData("pgd10", "linf", 50)]
    [InlineData("pgd10", "l2", 510)]
    [InlineData("mi-fgsm", "linf", 16)]
    [InlineData("ffgsm", "linf", 4)]
    [InlineData("training", "linf", 50)]
    [InlineData("training", "l2", 510)]
    public void TheStepOfARecordIsThatOfItsNameInTheCatalog(string name, string norm, int levels)
    {
        var (geometry, eps) = (Norm.Parse(norm), levels / 255.0);
        if (name == "training")
        {
            float step = new PgdOptions { Norm = geometry, Eps = (float)eps }.StepSize;
            Assert.Equal(AttackCatalog.Make("pgd10", geometry, eps, 5).Attacks[0].StepLength!.Value, step, 1e-7);
            return;
        }
        Attack made = name switch { "pgd10" => new PgdAttack(), "mi-fgsm" => new MiFgsm(), _ => new FastFgsm() };
        made = made with { Norm = geometry, Eps = eps };
        Assert.Equal(AttackCatalog.Find(name, geometry, eps, 5)!.Attacks[0].StepLength, made.StepLength);
    }

    [Theory]
    [InlineData("cw", "linf", 8 / 255.0, 2 / 255.0)]
    [InlineData("cw", "l2", 128 / 255.0, 15 / 255.0)]
    [InlineData("cw30", "l1", 12, 1.40625)]
    [InlineData("bim10", "l2", 128 / 255.0, 15 / 255.0)]
    [InlineData("bim10", "l1", 12, 1.40625)]
    [InlineData("pgd20", "l1", 12, 1.40625)]
    public void PgdsKinHaveItsStepAndTheListSaysSo(string name, string norm, double eps, double step)
    {
        Assert.Equal(step, AttackCatalog.Make(name, Norm.Parse(norm), eps, 5).Attacks[0].StepLength!.Value, 1e-12);
        var row = AttackCatalog.All.Single(row => row.Name.EndsWith(name.TrimEnd('0', '1', '2', '3') + "N", StringComparison.Ordinal));
        Assert.Contains("step eps/4 (linf: 2/255 at 8/255) or 15/128 eps (l2, l1)", row.Defaults, StringComparison.Ordinal);
    }

    [Fact]
    public void APlansSuitesHaveItsNormAndRadius()
    {
        foreach (Norm norm in new[] { Norm.Linf, Norm.L2 })
        {
            var plan = new EvaluationPlan
            {
                Norm = norm,
                Radii = [new("1/255", 1 / 255.0)],
                SuitesAt = _ => [AttackCatalog.Find("fgsm", Norm.Linf, 8 / 255.0, 5)!],
                Model = "net",
                Data = "made up",
            };
            Refused(() => new RobustEvaluation(_net, plan, _images, [0, 1], "never made"), $"where {norm.Name} and");
        }
        Refused(() => EpsilonSweep.Run(_net, _ => AttackCatalog.Make("fgsm", Norm.Linf, 8 / 255.0, 5), _images, [0, 1], [1 / 255.0]),
            "EpsilonSweep: fgsm attacks linf");
        Radius[] radii = [new("0.2", 0.2), new("0.1", 0.1)];
        var falling = Plan("net") with { Radii = radii, SuitesAt = eps => [AttackCatalog.Make("fgsm", Norm.Linf, eps, 5)] };
        Refused(() => new RobustEvaluation(_net, falling, _images, [0, 1], "never made"), "must ascend");
        Refused(() => new RobustEvaluation(_net, falling with { Radii = [new("16/255", 0.1)] }, _images, [0, 1], "never made"),
            "The radius '16/255' is not the number 0.1");
        Refused(() => EpsilonSweep.Run(_net, eps => AutoAttack.Standard(Norm.Linf, eps, 10), _images, [0, 1], [0.1]), "is for 10 classes");
    }

    [Fact]
    public void AttacksAreUnderstoodAsPapersSpellThem()
    {
        var sweep = EpsilonSweep.Run(_net, "PGD-2", Norm.Linf, _images, [0, 1], [0.1]);
        Assert.Equal(sweep.Robust(0), EpsilonSweep.Run(_net, "pgd2", Norm.Linf, _images, [0, 1], [0.1]).Robust(0));
        Assert.Equal("aa", AttackCatalog.Make("AutoAttack", Norm.Linf, 0.1, 5).Name);
        Refused(() => EpsilonSweep.Run(_net, "pdg20", Norm.Linf, _images, [0, 1], [0.1]), "did you mean 'pgd20'?");
        Refused(() => EpsilonSweep.Run(_net, "pgd2", null!, _images, [0, 1], [0.1]), "norm");
        Refused(() => MethodCatalog.Make("trade", new Dictionary<string, string>(), PgdOptions.Linf), "did you mean 'trades'?");
        Refused(() => ModelCatalog.Build(_device, new ModelSpec("preactresnet19", TestNets.Image, 5), 1), "did you mean 'preactresnet18'?");
    }

    [Fact]
    public void ASuiteIsForTheClassesOfTheNetwork()
    {
        var suite = AutoAttack.Standard(Norm.Linf, 0.1, classes: 10);
        Refused(() => new Evaluator(_net).Run(Set(_images, [0, 1]), suite), "is for 10 classes, and the network has 5");
        var plan = Plan("net") with { Radii = [new("0.1", 0.1)], SuitesAt = _ => [suite] };
        Refused(() => new RobustEvaluation(_net, plan, _images, [0, 1], "never"), "is for 10 classes");
        Refused(() => new RobustEvaluation(_net, Plan("net") with { SuitesAt = _ => [null!] }, _images, [0, 1], "never"), "is null");
        Refused(() => AutoAttack.Standard(Norm.Linf, 0.1, classes: 1), "no other");
    }

    [Fact]
    public void SettingsOfAMethodInCodeHaveItsBounds()
    {
        TrainingStep Of(Objective method) => new(_net, method, new Sgd(_net.Parameters), seed: 1);
        Refused(() => Of(new Trades(PgdOptions.Linf) { Beta = -1 }), "trades: Beta is -1");
        Refused(() => Of(new Clean().With(new RobustPerception { Alpha = 2 })), "Alpha is 2");
        Refused(() => Of(new Clean()).Run(_images, [0, 1], [0, 1], epoch: 0, rate: 0.1f), "counted from 1");
        Refused(() => new TrainingStep(_net, new Clean(), null!, seed: 1), "optimizer");
        Refused(() => new AttackRunner(null!), "net");
        Refused(() => Device.Cpu(100_000), "from 0 to 1024");
    }

    [Fact]
    public void ASweepRefusesRadiiInLevelsOfEveryAttack()
    {
        Refused(() => EpsilonSweep.Run(_net, "deepfool", Norm.L2, _images, [0, 1], [128]), "(0, 20.78]");
        Refused(() => RobustAssert.Holds(_net, _images, [0, 1], eps: 8, atLeast: 0), "(0, 1]");
    }

    [Fact]
    public void ABatchHasAnImage()
    {
        Refused(() => new Evaluator(_net, 0), "at least 1 image");
        Refused(() => PerceptionOptions.Noise(Norm.Linf, 0.1f) with { Batch = 0 }, "at least 1 image");
        Refused(() => new AttackRunner(_net, new() { Batch = 0 }), "a batch of 0 images");
        Refused(() => new BatchStream(Set(_images, [0, 1]), new(0, default), seed: 1), "no batches of 0");
        var border = new AugmentOptions(Pad: 12, Flip: true) { Border = CropBorder.Reflect };
        Refused(() => new BatchStream(Set(_images, [0, 1]), new(2, border), seed: 1), "border of 12");
        Refused(() => new Pgd(_net, PgdOptions.Linf with { Rise = -1 }), "rise");
    }

    [Fact]
    public void DistancesAreOfEachImage()
    {
        float[] a = [0, 0, 1, 1], b = [0, 0.5f, 1, 0];
        Assert.Equal([0.5, 1], Norm.L2.Distances(a, b, 2));
        Refused(() => Norm.L2.Distances(a, b, 3), "not 3 images");
        foreach (Norm norm in Norm.All) Refused(() => norm.Geometry.Distance(a, [1]), "images of one size");
    }

    [Fact]
    public void ANetworkInMemoryIsKnownByItsValues()
    {
        string folder = Directory.CreateTempSubdirectory("rpat-entry-").FullName;
        try
        {
            RobustEvaluation Of(Classifier net) => new(net, Plan("in memory"), _images, [0, 1], folder) { SkipSelfTest = true };
            var report = Of(_net).Run(resume: false);
            Assert.Empty(Verification.Run(folder, _net).Problems);
            Assert.Contains("the network's values are not those that were evaluated",
                Verification.Run(folder, TestNets.Disturbed(_device)).Problems);
            Assert.Equal(report.Columns[0].Robust, Of(_net).Run(resume: true).Columns[0].Robust);
            Assert.Throws<DataException>(() => Of(TestNets.Disturbed(_device)).Run(resume: true));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void ANetworksFileIsKnownByItsBytes()
    {
        var folder = Directory.CreateTempSubdirectory("rpat-entry-");
        try
        {
            string file = Path.Combine(folder.FullName, "net.safetensors"), place = Path.Combine(folder.FullName, "e");
            Safetensors.Write(file, _net.State());
            new RobustEvaluation(_net, Plan(file), _images, [0, 1], place) { SkipSelfTest = true }.Run(resume: false);
            Assert.Equal(EvalSubject.HashOf(file), Verification.ManifestOf(place).ModelHash);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static EvaluationPlan Plan(string model) => new()
    {
        Norm = Norm.Linf,
        Radii = [new("8/255", 8 / 255.0)],
        SuitesAt = eps => [AttackCatalog.Make("fgsm", Norm.Linf, eps, 5)],
        Model = model,
        Data = "made up",
    };

    private static void Refused(Action use, string part) => Assert.Contains(part, Assert.ThrowsAny<ArgumentException>(use).Message);

    private static void Refused(Func<object> use, string part) => Refused(() => { use(); }, part);

    private static LabeledImages Set(float[] images, int[] labels) => LabeledImages.FromFloats("own", TestNets.Image.C, TestNets.Image.H,
        TestNets.Image.W, images, labels);

    private Tensor Batch(float[] images) => Tensor.From(_device, TestNets.Image.WithBatch(2), images);
}
