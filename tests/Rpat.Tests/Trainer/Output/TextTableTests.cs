using Rpat.Trainer.Output;

namespace Rpat.Tests.Trainer.Output;

public sealed class TextTableTests
{
    private static readonly TextTable _table = new(["method", "Clean"], [["pgd-at", "61.20 ± 0.34"], ["a|b,c_d", "9"]], RightFrom: 1);

    [Theory]
    [InlineData("text", "method          Clean\npgd-at   61.20 ± 0.34\na|b,c_d             9\n")]
    [InlineData("md", "| method   |        Clean |\n|----------|-------------:|\n"
        + "| pgd-at   | 61.20 ± 0.34 |\n| a\\|b,c_d |            9 |\n")]
    [InlineData("csv", "method,Clean\npgd-at,61.20 ± 0.34\n\"a|b,c_d\",9\n")]
    [InlineData("latex", "\\begin{tabular}{lr}\n\\toprule\nmethod   &            Clean \\\\\n\\midrule\n"
        + "pgd-at   & 61.20 $\\pm$ 0.34 \\\\\n"
        + "a|b,c\\_d &                9 \\\\\n\\bottomrule\n\\end{tabular}\n")]
    public void ATableHasTheFormOfItsFormat(string format, string text) => Assert.Equal(text, _table.Write(format));

    [Fact]
    public void NothingInACellIsMarkup()
    {
        var table = new TextTable(["a"], [["50 % & $x^2$ {~} \\ #1 \u001b[2J\n\"q\""]]);
        Assert.Contains(@"50 \% \& \$x\textasciicircum{}2\$ \{\textasciitilde{}\} \textbackslash{} \#1", table.Write("latex"),
            StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table.Write("text") + table.Write("md") + table.Write("latex"));
        Assert.EndsWith("\"\"q\"\"\"\n", table.Write("csv"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, "run  attack  time")]
    [InlineData(17, "run  attack  time")]
    [InlineData(16, "run  attack")]
    [InlineData(3, "run")]
    public void ANarrowTerminalDoesWithoutSpareColumns(int width, string head) => Assert.StartsWith(head + "\n",
        new TextTable(["run", "attack", "time"], [["a", "PGD", "1m"]]) { Spare = ["time", "attack"] }.Within(width).Write("text"),
        StringComparison.Ordinal);

    // What tells runs of a sweep apart is at the end of their names.
    [Fact]
    public void AVeryNarrowTerminalCutsTheFirstColumnAlone()
    {
        var table = new TextTable(["Run", "Robust", "Attack"],
            [["20261129-0948-fashion-quick-s1", "10.00", "AA"], ["short", "9.00", "PGD-20"]]);
        Assert.Equal("Run                   Robust  Attack\n202611…hion-quick-s1  10.00   AA\nshort                 9.00    PGD-20\n",
            table.Within(36).Write("text"));
        Assert.Contains("-0948-", table.Within(50).Write("text"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one two three four five six seven", "one two three four\n  five six seven")]
    [InlineData("note: a run, 'rpat train --resume one' resumes", "note: a run,\n  'rpat train --resume one'\n  resumes")]
    [InlineData("PGD-AT's run isn't any of ours", "PGD-AT's run isn't\n  any of ours")]
    [InlineData("try next: rpat eval runs/one --attacks aa", "try next:\n  rpat eval runs/one --attacks aa")]
    [InlineData("aa    one two three four", "aa    one two three\n  four")]
    [InlineData("short", "short")]
    public void ATerminalBreaksLinesBetweenWords(string line, string lines)
    {
        Assert.Equal(lines, Wrapped.Text(line, 21));
        Assert.Equal(line, Wrapped.Text(line, int.MaxValue));
    }

    [Fact]
    public void DeviationsAreThoseOfASample()
    {
        Assert.Equal("60.00 ± 1.00", Spread.Of([0.59, 0.60, 0.61]).Percent());
        Assert.Equal("60.00", Spread.Of([0.6]).Percent());
        Assert.Equal("-", Spread.Of([]).Percent());
        Assert.Equal(["60.00", "1.00"], Spread.Of([0.59, 0.60, 0.61]).Apart());
        Assert.Equal(["60.00", ""], Spread.Of([0.6]).Apart());
    }
}
