using System.Reflection;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>Whoever attacks a network in memory takes no memory of its device for longer than it says.</summary>
public sealed class FreedMemoryTests : IDisposable
{
    private static readonly FieldInfo _words = typeof(Engine.Kernels.Cpu.CpuDevice).GetField("_words",
        BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _m;

    public FreedMemoryTests() => _m = Fixture.M(_device);

    public static TheoryData<string> Users => ["evaluator", "evaluation", "pgd", "runner", "sweep"];

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

    private void Use(string user)
    {
        var images = new LabeledImages("made", 3, 8, 8, Array.ConvertAll(_m.Images, value => (byte)(255 * value)), _m.Labels,
            [.. "abcdefghij".Select(letter => letter.ToString())], _m.Images);
        var suite = AttackCatalog.Find("pgd2", Norm.Linf, 0.1, 10)!;
        if (user == "sweep") EpsilonSweep.Run(_m.Net, "pgd2", Norm.Linf, _m.Images, _m.Labels, [0.05, 0.1]);
        if (user == "evaluation") Evaluate(suite);
        using Evaluator evaluator = new(_m.Net, 7);
        if (user == "evaluator") evaluator.Run(images, suite);
        using AttackRunner runner = new(_m.Net);
        if (user == "runner") runner.Perturb(suite.Attacks[0], _m.Images, _m.Labels);
        using Pgd pgd = new(_m.Net, PgdOptions.Linf with { Restarts = 2, Loss = InnerLoss.Kl });
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
        new RobustEvaluation(_m.Net, plan, _m.Images, _m.Labels, folder.FullName) { SkipSelfTest = true }.Run(resume: false);
        folder.Delete(recursive: true);
    }
}
