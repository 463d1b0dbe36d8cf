using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Cli;

public sealed class CompletionCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("train --resu", "--resume")]
    [InlineData("train --recipe fashion-q", "fashion-quick")]
    [InlineData("train --norm li", "linf")]
    [InlineData("comple", "completion")]
    public void TheProgramSaysWhatMayStandAtTheCursor(string line, string expected)
    {
        Assert.Equal(0, _test.Run($"[suggest:{line.Length}]", line));
        Assert.Contains(expected, _test.Out.Split('\n'));
        Assert.Empty(_test.Error);
    }

    /// <summary>bash takes a colon for the end of a word, and replaces what follows it.</summary>
    [TheoryWith(Need.Linux)]
    [InlineData("rpat train --data fashion-mnist:", "full")]
    [InlineData("rpat train --data fa", "fashion-mnist:full fashion-mnist")]
    [InlineData("rpat train --data=fa", "fashion-mnist:full fashion-mnist")]
    [InlineData("rpat train --data mnist", "")] // which is within a name, and not its beginning
    public void BashReplacesTheWordAtTheCursor(string line, string expected)
    {
        Assert.Equal(0, _test.Run("completion", "bash"));
        string script = _test.Write("bash", _test.Out + $$"""
            rpat() { printf 'fashion-mnist:full\nfashion-mnist\n'; }
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            _rpat
            echo "${COMPREPLY[*]}"
            """);
        using var bash = Process.Start(new ProcessStartInfo("bash", [script]) { RedirectStandardOutput = true })!;
        Assert.Equal(expected, bash.StandardOutput.ReadToEnd().Trim());
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _rpat rpat")]
    [InlineData("zsh", "compdef _rpat rpat")]
    [InlineData("fish", "complete -c rpat")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public void EveryShellHasItsScript(string shell, string expected)
    {
        Assert.Equal(0, _test.Run("completion", shell));
        Assert.Contains(expected, _test.Out);
        Assert.Contains("[suggest:", _test.Out);
    }
}
