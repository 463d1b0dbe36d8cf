using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Report;

/// <summary>Two finished small runs, one of them evaluated by AutoAttack besides, made once for all tests.</summary>
public sealed class ReportFixture : IDisposable
{
    private readonly TestHost _test = new();

    public ReportFixture()
    {
        First = Train("pgd-at+rpat");
        Second = Train("pgd-at");
        string data = "npz:" + _test.PathOf("tiny.npz");
        Assert.Equal(0, _test.Run("eval", First, "--data", data, "--attacks", "aa", "--n", "3"));
        foreach (string run in new[] { First, Second })
            Assert.Equal(0, _test.Run("eval", run, "--data", data, "--attacks", "pgd2", "--n", "4"));
        Assert.Equal(0, _test.Run("perception", First, "--data", data, "--n", "6"));
    }

    public string First { get; }

    public string Second { get; }

    internal TestHost Test => _test;

    public void Dispose() => _test.Dispose();

    private string Train(string method)
    {
        string root = _test.PathOf("runs"), name = method.Replace('+', '-');
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--method", method, "--set", "train.epochs=3", "--out", root, "--name",
            name]));
        return Directory.GetDirectories(root, $"*-{name}").Single();
    }
}
