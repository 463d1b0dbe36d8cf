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
