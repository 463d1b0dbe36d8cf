using Rpat.Trainer.Output;

namespace Rpat.Tests.Trainer.Errors;

public class ErrorReportTests
{
    public static TheoryData<Exception, int> Codes => new()
    {
        { new UsageException("x"), 2 },
        { new ConfigException("x"), 2 },
        { new DataSpecException("x"), 2 },
        { new DataException("x"), 3 },
        { new DeviceException("x"), 4 },
        { new DivergedException("x"), 5 },
        { new CheckpointException("x"), 6 },
        { new UnauthorizedAccessException("x"), 2 },
        { new ShapeException("Add", "x"), 2 },
        { new InvalidOperationException("x"), 1 },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public void EveryErrorHasItsExitCode(Exception error, int code) => Assert.Equal(code, ErrorReport.Of(error).Code);

    [Fact]
    public void WhatIsUnknownIsLikelierAPluginsMistake()
    {
        var report = ErrorReport.Of(new InvalidOperationException("conv1.weight has no memory yet."), ["bin/Mine.dll"]);
        Assert.Equal(2, report.Code);
        Assert.Equal("with the plugin Mine.dll: InvalidOperationException: conv1.weight has no memory yet; this is likely a mistake of the plugin, "
            + "and --verbose shows where.", report.Sentence);
    }

    [Fact]
    public void AUserErrorIsOneLineWithoutATrace()
    {
        var output = new StringWriter();
        Assert.Equal(3, ErrorOutput.Print(new DataException("the file\nis gone."), output));
        Assert.Equal($"rpat: the file is gone.{output.NewLine}", output.ToString());
    }
}
