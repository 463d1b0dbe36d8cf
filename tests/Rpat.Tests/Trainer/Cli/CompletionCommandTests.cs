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
