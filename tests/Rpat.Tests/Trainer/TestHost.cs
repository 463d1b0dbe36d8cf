using Rpat.Trainer.Cli;
using Rpat.Trainer.Output;

namespace Rpat.Tests.Trainer;

/// <summary>A host whose output is kept, and a folder of its own that goes away with it.</summary>
internal sealed class TestHost : IDisposable
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public TestHost(params (string Name, string Value)[] environment)
    {
        Folder = Directory.CreateTempSubdirectory("rpat-test-").FullName;
        // One thread: the tests next to it have the other cores.
        var variables = new[] { ("RPAT_RUNS", PathOf("runs")), ("RPAT__DEVICE__NAME", "cpu"), ("RPAT__RUN__THREADS", "1") }
            .Concat(environment)
            .GroupBy(pair => pair.Item1).ToDictionary(pair => pair.Key, pair => pair.Last().Item2);
        Host = new CommandContext(_out, _error, variables, ErrorIsTerminal: false, new FixedClock());
    }

    public string Folder { get; }

    public CommandContext Host { get; }

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public int Run(params string[] arguments) => App.Run(arguments, Host);

    public string PathOf(string name) => Path.Combine(Folder, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>A clock that stands at one minute until it is moved.</summary>
internal sealed class FixedClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 11, 21, 2, 38, 0, TimeSpan.Zero);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Now;

    public override long GetTimestamp() => Now.UtcTicks;
}
