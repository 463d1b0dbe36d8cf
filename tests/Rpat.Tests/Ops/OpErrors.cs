namespace Rpat.Tests.Ops;

internal static class OpErrors
{
    /// <summary>Fails unless the recording is refused by that op in one sentence with those words.</summary>
    public static void Names(string op, Func<object> record, params string[] words) => Names(op, () => { record(); }, words);

    /// <summary>The same of an op that is not recorded.</summary>
    public static void Names(string op, Action run, params string[] words)
    {
        ShapeException error = Assert.Throws<ShapeException>(run);
        Assert.Equal(op, error.Op);
        Assert.StartsWith($"{op}: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
