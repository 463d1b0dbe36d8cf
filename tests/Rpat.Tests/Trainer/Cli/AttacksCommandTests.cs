namespace Rpat.Tests.Trainer.Cli;

public sealed class AttacksCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("cw", "cw\n")]
    [InlineData("CW", "cw\n")]
    [InlineData("cw30", "cw30 (as cwN, with its own number)\n")]
    [InlineData("cwN", "cw20 (as cwN, with its own number)\n")]
    [InlineData("PGD-7", "pgd7 (as pgdN, with its own number)\n")]
    [InlineData("cw-l2", "cw-l2\n")]
    [InlineData("aa-standard", "aa\n")]
    [InlineData("clean", "clean\n")]
    public void AnAttackIsShownByAnyOfItsNames(string typed, string first)
    {
        Assert.True(_test.Run("attacks", "show", typed) == 0, _test.Error);
        Assert.StartsWith($"{first}  norms     ", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryNameOfTheListIsShown()
    {
        foreach (string name in AttackCatalog.All.SelectMany(attack => attack.Name.Split(", ")))
            Assert.True(_test.Run("attacks", "show", name) == 0, _test.Error);
    }
}
