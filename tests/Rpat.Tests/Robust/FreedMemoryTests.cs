using System.Reflection;
using Rpat.Models;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>Whoever attacks a network in memory takes no memory of its device for longer than it says.</summary>
public sealed class FreedMemoryTests : IDisposable
{
    private static readonly FieldInfo _words = typeof(Engine.Kernels.Cpu.CpuDevice).GetField("_words",
        BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _m;
    private readonly Network _net; // its pooling and its dropout keep memory of their own

    public FreedMemoryTests()
    {
        _m = Fixture.M(_device);
        _net = new Network(_device, Fixture.Image, 10, new Sequential(new Conv2d(3, 4, 3, padding: 1), new BatchNorm(4), Rpat.Nn.Activation.Relu,
            Pool.Average2d(2), new Dropout(0.2), Pool.GlobalAverage(), new Linear(4, 10)), seed: 1);
    }

    public static TheoryData<string> Users => ["evaluator", "evaluation", "pgd", "runner", "sweep", "predictor", "statistics", "differences"];

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(Users))]
    public void ASecondTimeLeavesWhatTheFirstLeft(string user)
    {
        Use(user); // the arena grows once
        object before = _words.GetValue(_device)!;
        Use(user);
        Assert.Equal(before, _words.GetValue(_device));
    }

    [Theory]
    [InlineData("xcit-s12")]
    [InlineData("vit-s16")]
    public void ATransformersConstantsGoWithItsPredictor(string model)
    {
        var net = ModelCatalog.Build(_device, new ModelSpec(model, new Shape(1, 3, 32, 32), 10)
        { Width = 24, Blocks = 2, Heads = 3, StemStride = model == "vit-s16" ? 4 : 0 }, seed: 1);
        float[] images = new float[2 * net.InputShape.SampleCount];
        net.Predict(images);
        object before = _words.GetValue(_device)!;
        net.Predict(images);
        Assert.Equal(before, _words.GetValue(_device));
    }

    private void Use(string user)
    {
        var images = new LabeledImages("made", 3, 8, 8, Array.ConvertAll(_m.Images, value => (byte)(255 * value)), _m.Labels,
            [.. "abcdefghij".Select(letter => letter.ToString())], _m.Images);
        var suite = AttackCatalog.Find("pgd2", Norm.Linf, 0.1, 10)!;
        if (user == "sweep") EpsilonSweep.Run(_net, "pgd2", Norm.Linf, _m.Images, _m.Labels, [0.05, 0.1]);
        if (user == "evaluation") Evaluate(suite);
        if (user == "predictor") _net.Predict(_m.Images);
        if (user == "statistics") Estimate();
        if (user == "differences") Differentiate();
        using Evaluator evaluator = new(_net, 7);
        if (user == "evaluator") evaluator.Run(images, suite);
        using AttackRunner runner = new(_net);
        if (user == "runner") runner.Perturb(suite.Attacks[0], _m.Images, _m.Labels);
        using Pgd pgd = new(_net, PgdOptions.Linf with { Restarts = 2, Loss = InnerLoss.Kl, Bn = BnMode.TrainFrozen });
        if (user == "pgd") Perturb(pgd);
    }

    private void Perturb(Pgd pgd)
    {
        Tensor x = Tensor.From(_device, Fixture.Image.WithBatch(_m.Labels.Length), _m.Images);
        var labels = Labels.From(_device, _m.Labels);
        pgd.Perturb(x, labels, TestNets.Key, TestNets.Indices(_m.Labels.Length));
        _device.Free(x.Data);
        _device.Free(labels.Data);
    }

    private void Estimate()
    {
        var statistics = new BatchStatistics(_net);
        statistics.Add(_m.Images);
        statistics.Finish();
    }

    private void Differentiate()
    {
        Tensor x = Tensor.From(_device, Fixture.Image.WithBatch(1), _m.Images.AsSpan(0, Fixture.Image.SampleCount), needsGrad: true);
        GradientCheck.Of(tape => _net.Forward(tape, x, BnMode.Eval), x);
        _device.Free(x.Data);
        _device.Free(x.Grad);
    }

    private void Evaluate(AttackSuite suite)
    {
        var folder = Directory.CreateTempSubdirectory("rpat-freed-");
        EvaluationPlan plan = new()
        {
            Norm = Norm.Linf,
            Radii = [new Radius("eps", 0.1)],
            Batch = 64,
            Model = "net",
            ModelHash = "net",
            Data = "made",
            SuitesAt = _ => [suite],
        };
        new RobustEvaluation(_net, plan, _m.Images, _m.Labels, folder.FullName) { SkipSelfTest = true }.Run(resume: false);
        folder.Delete(recursive: true);
    }
}
