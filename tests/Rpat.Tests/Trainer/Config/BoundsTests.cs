using Rpat.Robust.Settings;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Config;

/// <summary>Every number of the configuration at the bounds of its declaration, whatever keys there are.</summary>
public sealed class BoundsTests : IDisposable
{
    // What their largest value costs is memory, processes or hours, which is what it says.
    private static readonly string[] _costly =
        ["model.width", "model.blocks", "model.classes", "attack.steps", "attack.restarts", "run.processes", "run.threads"];

    private readonly TestHost _test = new();

    public static TheoryData<string> Keys => [.. Numbers.Select(key => key.Path)];

    private static IEnumerable<ConfigKey> Numbers => ConfigKeys.All.Where(key => key.Setting.IsNumber && !key.IsOfMethod);

    public void Dispose() => _test.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public void ANumberOutOfItsBoundsIsRefusedInOneSentence(string path)
    {
        var key = ConfigKeys.All.Single(key => key.Path == path);
        Assert.True(key.Setting.Min < key.Setting.Max, path);
        foreach (string text in new[] { Text(key.Setting.Min - 1), Text(key.Setting.Max * 2 + 1), "nan", "" })
        {
            string message = Assert.Throws<ConfigException>(() => Resolve($"{path}={text}")).Message;
            Assert.StartsWith($"{path} is '{text}' (--set): it wants a ", message);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void ARunAtTheBoundsEndsWithAWordAndNotInAFault(string path)
    {
        var key = ConfigKeys.All.Single(key => key.Path == path);
        if (key.Setting.Default != Text(key.Setting.Min)) Run(path, key.Setting.Min);
        if (!_costly.Contains(path)) Run(path, key.Setting.Max);
    }

    [Theory]
    [InlineData("model.mean=.5,1.5", "-1 to 1")]
    [InlineData("model.std=.5,2", "1e-6 to 1")]
    public void ANormalisationIsOfPixelsInTheUnitInterval(string set, string bounds) =>
        Assert.Contains(bounds, Assert.Throws<ConfigException>(() => Resolve(set)).Message, StringComparison.Ordinal);

    private static ResolvedConfig Resolve(string set) =>
        ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(), [set], []));

    private static string Text(double value) =>
        value.ToString(value == Math.Truncate(value) ? "F0" : "R", System.Globalization.CultureInfo.InvariantCulture);

    private void Run(string path, double value)
    {
        string text = path is "attack.eps" or "attack.step" && value > 1 ? $"{Text(value)}/1" : Text(Math.Min(value, long.MaxValue - 1024));
        string[] norm = path.StartsWith("attack.", StringComparison.Ordinal) ? ["--set", "attack.norm=l2"] : [];
        int said = _test.Error.Length, code = _test.Run(
            [.. TinyRun.Arguments(_test), "--method", "pgd-at+rpat", "--epochs", "1", "--max-steps", "1", "--set", "eval.attacks=clean",
                "--set", "eval.n=1", "--out", _test.PathOf("runs"), .. norm, "--set", $"{path}={text}"]);
        Assert.True(code is ExitCode.Done or ExitCode.Usage or ExitCode.Diverged or ExitCode.LimitMissed,
            $"{path}={text} ends with {code}: {_test.Error[said..]}");
        if (code == ExitCode.Usage) Assert.Single(_test.Error[said..].TrimEnd().Split('\n'));
    }
}
