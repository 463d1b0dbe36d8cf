namespace Rpat.Tests.Trainer.Runs;

public sealed class AppendOnlyFileTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void WhatIsBehindALengthGoesAway()
    {
        using var file = new AppendOnlyFile(_test.PathOf("log"));
        file.Append("one"u8);
        long length = file.Length;
        file.Append("two"u8);
        file.TruncateTo(length);
        file.Append("three"u8);
        Assert.Equal("onethree", Encoding.ASCII.GetString(file.ReadAll()));
    }

    [Fact]
    public void AnotherProcessGoesOnAtTheEnd()
    {
        using (var first = new AppendOnlyFile(_test.PathOf("log"))) first.Append("one"u8);
        using (var second = new AppendOnlyFile(_test.PathOf("log"))) second.Append("two"u8);
        Assert.Equal("onetwo", File.ReadAllText(_test.PathOf("log")));
    }

    [Fact]
    public void AFileThatLostBytesIsSaid()
    {
        using var file = new AppendOnlyFile(_test.PathOf("log"));
        file.Append("one"u8);
        Assert.Contains("has 3 bytes where the checkpoint saw 4", Assert.Throws<IOException>(() => file.TruncateTo(4)).Message);
    }
}
