using Rpat.Robust.Methods;

namespace Rpat.Tests.Trainer.Training;

/// <summary>
/// Whatever a method keeps from step to step (averaged nets, tables of images, counters, masks), a run that is stopped in its second
/// epoch and resumed leaves the bytes of a run with more threads that never stopped. <c>tests/kill-and-resume.sh</c> does the same with
/// SIGKILL.
/// </summary>
public sealed class MethodResumeTests(MethodResumeTests.Teachers teachers) : IClassFixture<MethodResumeTests.Teachers>, IDisposable
{
    private readonly TestHost _test = new();

    public static TheoryData<string> Names => [.. MethodCatalog.Names];

    public void Dispose() => _test.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void AMethodGoesOnBitForBit(string method)
    {
        // An epoch has six steps: what moves by step, what moves by epoch, and what begins with the second epoch have all moved at step 8.
        Run(method, "whole", 10, "--threads", "2");
        Run(method, "parts", 8);
        string whole = RunFiles.Runs(_test, "whole").Single(), parts = RunFiles.Runs(_test, "parts").Single();
        Succeeds("train", "--resume", parts, "--set", "train.max_steps=10");
        Assert.Equal(RunFiles.Hashes(whole), RunFiles.Hashes(parts));
        using var file = Safetensors.Read(Path.Combine(parts, "model.safetensors"));
        Assert.All(file.Tensors.Keys.Where(name => !name.EndsWith("tracked", StringComparison.Ordinal)), name =>
            Assert.All(file.Load(name).ToFloats(), value => Assert.True(float.IsFinite(value))));
    }

    private void Run(string method, string folder, int steps, params string[] more) => Succeeds(
    [
        .. TinyRun.Arguments(_test), "--method", method, "--epochs", "5", "--set", $"train.max_steps={steps}", "--set",
        "eval.attacks=clean", "--set", "checkpoint.keep=1", "--name", "a",
        "--out", _test.PathOf(folder), .. Needs(method).SelectMany(setting => new[] { "--set", setting }), .. more,
    ]);

    private IEnumerable<string> Needs(string method)
    {
        var found = MethodCatalog.Find(method)!;
        foreach (string name in found.Teachers) yield return $"method.teachers.{name}={teachers.Folder}";
        if (method.StartsWith("cure", StringComparison.Ordinal)) yield return $"model.weights={teachers.Folder}";
        else if (found.Settings.Any(s => s.Name == "start")) yield return "method.start=2";
    }

    private void Succeeds(params string[] arguments) => Assert.True(_test.Run(arguments) == 0, _test.Error);

    /// <summary>A trained network, for the methods that begin with one.</summary>
    public sealed class Teachers : IDisposable
    {
        private readonly TestHost _test = new();

        public Teachers()
        {
            Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--method", "clean", "--set", "train.max_steps=3", "--out",
                _test.PathOf("runs")]));
            Folder = RunFiles.Runs(_test, "runs").Single();
        }

        public string Folder { get; }

        public void Dispose() => _test.Dispose();
    }
}
