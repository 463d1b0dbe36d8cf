using System.Text.RegularExpressions;
using Rpat.Models;
using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Runs;

/// <summary>Runs that were made with a plugin, in a process that does not have it; and values for a run that is resumed.</summary>
public sealed class RunPluginTests : IDisposable
{
    private readonly TestHost _test = new();

    private string Plugin => _test.PathOf("p1/Mine.dll");

    public void Dispose() => _test.Dispose();

    [Fact]
    public void WhatNeedsNoPluginIsReadWithoutIt()
    {
        string run = Made("mine", ("method", "mine"));
        Assert.Equal(0, _test.Run("runs", "list", "--columns", "method,method.epsilon"));
        Assert.Matches($@"{Path.GetFileName(run)} +finished +mine +2 ", _test.Out);
        Assert.Equal(0, _test.Run("runs", "show", Path.GetFileName(run)));
        Assert.Equal(0, _test.Run("report", Path.GetFileName(run), "-o", _test.PathOf("page.html")));
        Assert.Contains($"rpat train -c {Path.GetFileName(run)} --plugin {Plugin}",
            File.ReadAllText(_test.PathOf("page.html")), StringComparison.Ordinal);
        WriteNetwork(run, "preactresnet18");
        Assert.Equal(0, _test.Run("export", Path.GetFileName(run), "-o", _test.PathOf("net.pt")));
        Assert.Empty(_test.Error);
    }

    [Theory]
    [InlineData("method", "mine", "train", "--resume", "RUN")]
    [InlineData("method", "mine", "train", "-c", "RUN")]
    [InlineData("method", "mine", "config", "check", "RUN/config.yaml")]
    [InlineData("model", "minenet", "config", "show", "-c", "RUN")]
    [InlineData("model", "minenet", "export", "RUN", "-o", "net.pt")]
    [InlineData("data", "mineset", "perception", "RUN")]
    [InlineData("data", "mineset", "eval", "RUN", "--attacks", "clean")]
    [InlineData("method", "mine", "eval", "RUN", "--attacks", "clean,mine-bim")]
    public void WhatNeedsThePluginSaysWhichToGive(string section, string name, params string[] command)
    {
        string run = Made("mine", (section, name));
        WriteNetwork(run, section == "model" ? name : "preactresnet18");
        Assert.Equal(2, _test.Run([.. command.Select(word => word.Replace("RUN", run).Replace("net.pt", _test.PathOf("net.pt")))]));
        Assert.Equal($"rpat: {Lacks(run)}\n", _test.Error);
    }

    [Fact]
    public void RecordsOfEarlierVersionsSayItInTheirCommandLine()
    {
        string run = Made("mine", ("method", "mine"));
        Rewrite(run, record => record with { Plugins = null, CommandLine = ["rpat", "train", "--plugin", Plugin] });
        Assert.Equal(Lacks(run), RunPlugins.Missing(run));
    }

    [Fact]
    public void TheNextCommandsHaveThePlugin()
    {
        string run = Made("mine", ("method", "mine"));
        Assert.Equal($"rpat eval runs/x --attacks clean,pgd20,aa --n 100 --plugin {Plugin}", NextStep.Of(run, "runs/x"));
        Rewrite(run, record => record with { Status = RunStatus.Interrupted });
        Assert.Contains(RunData.Load(run).Warnings,
            line => line.Contains($"'rpat train --resume {Path.GetFileName(run)} --plugin {Plugin}'", StringComparison.Ordinal));
    }

    [Fact]
    public void APluginThatIsThereIsNotMissed()
    {
        string run = Made("mine", ("method", "mine"));
        Rewrite(run, record => record with { Plugins = [typeof(Rpat.Samples.Extensions.FocalAt).Assembly.Location] });
        Assert.Null(RunPlugins.Missing(run));
        Assert.Equal(2, _test.Run("config", "check", Path.Combine(run, "config.yaml")));
        Assert.StartsWith("rpat: method.name is 'mine' (", _test.Error);
    }

    /// <summary>The values of --set are the run's own method's and recipe's, not those of the defaults.</summary>
    [Theory]
    [InlineData("method.beta=3", "method.beta is '3' (--set) where run '")]
    [InlineData("schedule.warmup=5", "schedule.warmup is '5' (--set) where run '")]
    [InlineData("method.focus=1", "method trades has no setting 'focus': ")]
    public void ValuesForARunAreCheckedAgainstIt(string set, string begin)
    {
        string run = Made("tr", ("method", "trades"), "beta: 6", "train:\n  epochs: 10");
        Assert.Equal(2, _test.Run("train", "--resume", run, "--set", set));
        Assert.StartsWith($"rpat: {begin}", _test.Error);
    }

    [Fact]
    public void ASweepOfMethodsTakesASettingOfThem()
    {
        Assert.Equal(0, _test.Run("sweep", "fashion-quick", "--list", "--method", "trades,trades-awp", "--set", "method.beta=3"));
        Assert.Contains("trades-awp", _test.Out);
    }

    private string Lacks(string run) =>
        $"run '{Path.GetFileName(run)}' was made with --plugin {Plugin}: give it again, from where it is now.";

    // A finished run whose configuration has another name in a section, and a setting of its method.
    private string Made(string name, (string Section, string Name) own, string setting = "epsilon: 2", string more = "")
    {
        string run = MadeRun.Finished(_test, name), config = Path.Combine(run, "config.yaml");
        string text = File.ReadAllText(config);
        text = Regex.Replace(text, $@"(?<=^{own.Section}:\n  name: )\S+", own.Name, RegexOptions.Multiline);
        if (own.Section == "method")
            text = Regex.Replace(text, $@"^(method:\n  name: .*\n)(  (?!rpat|awp|sam|teachers)\w+: .*\n)*", $"$1  {setting}\n",
                RegexOptions.Multiline);
        if (more.Length > 0) text = Regex.Replace(text, @"^train:\n  epochs: \S+", more, RegexOptions.Multiline);
        File.WriteAllText(config, text);
        Rewrite(run, record => record with { Plugins = own.Name.StartsWith("mine", StringComparison.Ordinal) ? [Plugin] : [] });
        return run;
    }

    private static void Rewrite(string run, Func<RunRecord, RunRecord> change) => File.WriteAllText(Path.Combine(run, "run.json"),
        JsonSerializer.Serialize(change(RunRecord.Read(run)!), RunJson.Format));

    private static void WriteNetwork(string run, string name)
    {
        using var device = Device.Cpu(1);
        var spec = new ModelSpec("preactresnet18", new Shape(1, 3, 8, 8), 5) { Width = 4, Blocks = 1 };
        NetworkWriter.Write(Path.Combine(run, "model.safetensors"), ModelCatalog.Build(device, spec, seed: 1), spec with { Name = name });
    }
}
