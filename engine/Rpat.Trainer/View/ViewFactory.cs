using Rpat.Trainer.Cli;
using Spectre.Console;

namespace Rpat.Trainer.View;

/// <summary>Chooses how progress is shown.</summary>
internal static class ViewFactory
{
    /// <summary>The view on stderr that the configuration and the terminal ask for.</summary>
    public static IProgressView Create(LogSection log, CommandContext host) => Choose(log.Progress, host) switch
    {
        ProgressKind.Live => new LiveView(Console(host), host.Clock),
        ProgressKind.None => new SilentView(host),
        _ => new PlainView(host.Error, TimeSpan.FromSeconds(host.Loudness.Level == LogLevel.Debug ? 0 : log.Interval), host.Clock),
    };

    // If TERM is set, Spectre assumes a terminal even in a pipe, so the choice is made here.
    private static ProgressKind Choose(ProgressKind wanted, CommandContext host)
    {
        if (host.Loudness.Level < LogLevel.Info) return ProgressKind.None;
        bool capable = host.ErrorIsTerminal && host.Environment.GetValueOrDefault("TERM") != "dumb";
        bool wants = wanted == ProgressKind.Live || (wanted == ProgressKind.Auto
            && host.Environment.GetValueOrDefault("CI") is null or "" or "false");
        return wanted == ProgressKind.None ? ProgressKind.None : capable && wants ? ProgressKind.Live : ProgressKind.Plain;
    }

    private static IAnsiConsole Console(CommandContext host) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(host.Error is ShownText shown ? shown.Verbatim : host.Error),
        ColorSystem = host.Loudness.NoColor || host.Environment.GetValueOrDefault("NO_COLOR") is { Length: > 0 }
            ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        Ansi = AnsiSupport.Yes,
        Interactive = InteractionSupport.Yes,
    });
}
