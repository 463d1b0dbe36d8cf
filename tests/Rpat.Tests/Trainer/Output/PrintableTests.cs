using Rpat.Trainer.Output;

namespace Rpat.Tests.Trainer.Output;

public class PrintableTests
{
    [Theory]
    [InlineData("plain ä 漢 😀\tx\ny\r\n", "plain ä 漢 😀\tx\ny\r\n")]
    [InlineData("\u001b[2Jx", "\\u001b[2Jx")]
    [InlineData("a\rb\u0007\u007f\u009b", "a\\u000db\\u0007\\u007f\\u009b")]
    [InlineData("a\u202eb\u2066\u2028", "a\\u202eb\\u2066\\u2028")]
    public void WhatSteersATerminalIsWrittenOut(string text, string shown) => Assert.Equal(shown, Printable.Text(text));

    [Fact]
    public void ALineStaysOne() => Assert.Equal("a\\u000ab\\u0009c\\u000d\\u000ad\\u001b", Printable.Line("a\nb\tc\r\nd\u001b"));

    [Fact]
    public void EveryWayOfWritingIsTheSame()
    {
        var output = new StringWriter();
        var shown = new ShownText(output);
        shown.Write('\u001b');
        shown.Write("\u001b");
        shown.Write("\u001b".AsSpan());
        shown.Write(['\u001b'], 0, 1);
        shown.WriteLine("{0}", "\u001b");
        Assert.Equal(string.Concat(Enumerable.Repeat("\\u001b", 5)) + output.NewLine, output.ToString());
    }

    [Fact]
    public void AnErrorCannotSteerTheTerminal()
    {
        using var test = new TestHost();
        Assert.Equal(2, test.Run("runs", "show", "\u001b]0;owned\u0007", "--runs", test.Folder));
        Assert.DoesNotContain('\u001b', test.Error);
        Assert.Contains("\\u001b]0;owned\\u0007", test.Error);
    }

    [Theory]
    [InlineData("", "''")]
    [InlineData("train.epochs=3", "train.epochs=3")]
    [InlineData("a b", "'a b'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("$(rm -r x)", "'$(rm -r x)'")]
    public void WordsAreQuotedForTheShell(string word, string quoted) => Assert.Equal(quoted, ShellWord.Quote(word));
}
