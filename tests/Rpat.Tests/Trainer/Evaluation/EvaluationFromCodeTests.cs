using Rpat.Tests.Robust;

namespace Rpat.Tests.Trainer.Evaluation;

/// <summary>
/// What was evaluated from code is verified by the tool: of a network's file as it is, of one in memory with the file it was saved to.
/// </summary>
public sealed class EvaluationFromCodeTests : IDisposable
{
    private readonly TestHost _test = new();
    private readonly Device _device = Device.Cpu(1);

    public void Dispose()
    {
        _device.Dispose();
        _test.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void IsVerifiedByTheTool(bool isFile)
    {
        var net = TestNets.Disturbed(_device);
        string file = _test.PathOf("net.safetensors"), folder = _test.PathOf("evaluation");
        Safetensors.Write(file, net.State());
        var plan = new EvaluationPlan
        {
            Norm = Norm.Linf,
            Radii = [new("8/255", 8 / 255.0)],
            SuitesAt = eps => [AttackCatalog.Make("fgsm", Norm.Linf, eps, net.Classes)],
            Model = isFile ? file : "in memory",
            Data = "made up",
        };
        int[] labels = net.Predict(TestNets.Images(4, seed: 1));
        new RobustEvaluation(net, plan, TestNets.Images(4, seed: 1), labels, folder) { SkipSelfTest = true }.Run(resume: false);
        if (!isFile)
        {
            Assert.Equal(ExitCode.Checkpoint, _test.Run("eval", "verify", folder));
            Assert.Equal("rpat: the evaluation is of 'in memory', which is no file here: give the file of that network by --checkpoint.\n",
                _test.Error);
        }
        string[] where = isFile ? [] : ["--checkpoint", file];
        Assert.True(_test.Run(["eval", "verify", folder, .. where]) == 0, _test.Out + _test.Error);
        Assert.Contains(" 0 problems", _test.Out);
    }
}
