using Rpat.Trainer.Cli;

namespace Rpat.Trainer.View;

/// <summary>Chooses how progress is shown.</summary>
internal static class ViewFactory
{
    /// <summary>The view on stderr that the configuration and the terminal ask for.</summary>
    public static IProgressView Create(LogSection log, CommandContext host) => Choose(log.Progress, host) switch
    {
        ProgressKind.Live => Live(host),
        ProgressKind.None => new SilentView(host),
        _ => new PlainView(host.Error, TimeSpan.FromSeconds(host.Loudness.Level == LogLevel.Debug ? 0 : log.Interval), host.Clock),
    };

    /// <summary>The live view where stderr is a terminal that can show one, otherwise null.</summary>
    public static LiveView? LiveOf(CommandContext host) => Choose(ProgressKind.Auto, host) == ProgressKind.Live ? Live(host) : null;

    private static ProgressKind Choose(ProgressKind wanted, CommandContext host)
    {
        if (host.Loudness.Level < LogLevel.Info) return ProgressKind.None;
        bool capable = host.ErrorIsTerminal && host.Environment.GetValueOrDefault("TERM") != "dumb";
        bool wants = wanted == ProgressKind.Live || (wanted == ProgressKind.Auto
            && host.Environment.GetValueOrDefault("CI") is null or "" or "false");
        return wanted == ProgressKind.None ? ProgressKind.None : capable && wants ? ProgressKind.Live : ProgressKind.Plain;
    }

    private static LiveView Live(CommandContext host) => new(
        host.Error is ShownText shown ? shown.Verbatim : host.Error, () => host.Columns,
        colours: !host.Loudness.NoColor && host.Environment.GetValueOrDefault("NO_COLOR") is not { Length: > 0 }, host.Clock);
}
