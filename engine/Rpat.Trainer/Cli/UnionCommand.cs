using System.CommandLine;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat eval union FOLDER…</c>: several threat models as one column, joined image by image from finished evaluations.</summary>
internal static class UnionCommand
{
    /// <summary>The command, to be added to <c>eval</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var folders = new Argument<string[]>("FOLDER")
        { Description = "folders of finished evaluations of the same images", Arity = ArgumentArity.OneOrMore };
        var json = new JsonOption();
        var command = new Command("union",
            "Join evaluations under several threat models: the images that all of them leave correct, for each network.")
            { folders, json.Option };
        command.SetAction(parsed =>
        {
            string[] given = parsed.GetRequiredValue(folders);
            if (Array.Find(given, folder => !Directory.Exists(folder)) is { } missing)
                throw new UsageException($"there is no folder '{missing}': give the folder of an evaluation.");
            var unions = ThreatUnion.Of(given);
            json.Give(parsed, host, () => Json(unions), () => Write(unions, host.Out));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Write(IReadOnlyList<ThreatUnion> unions, TextWriter output)
    {
        foreach (var union in unions)
        {
            output.WriteLine(union.Model);
            Line("clean", union.Clean);
            foreach (var (threat, robust) in union.Robust)
                Line($"{AttackTitle.Of(threat.Suite)} {threat.Norm} {threat.Eps}"
                    + (union.Robust.Count(other => $"{other.Threat}" == $"{threat}") > 1 ? $" ({threat.Settings})" : ""), robust);
            Line("union of all", union.Union);
            output.WriteLine($"  {"mean of the threats",-28}{Format.Percent(union.Mean),8}");
            if (unions.Count > 1)
                output.WriteLine(
                    $"  {"CR_ind-avg",-28}{Format.Percent(union.Competitiveness(unions)),8}   of the best network here in each threat");

            void Line(string name, int count)
            {
                var interval = WilsonInterval.Of(count, union.Images);
                output.WriteLine($"  {name,-28}{Format.Percent((double)count / union.Images),8}   {Format.Percent(interval.Low)} to "
                    + $"{Format.Percent(interval.High)}");
            }
        }
        output.WriteLine(FormattableString.Invariant($"on {unions[0].Images} images, in percent; Wilson intervals"));
    }

    private static object Json(IReadOnlyList<ThreatUnion> unions) => unions.Select(union => new
    {
        checkpoint = union.Model,
        model_sha256 = union.ModelHash,
        images = union.Images,
        clean = union.Clean,
        threats = union.Robust.Select(column => new
        { column.Threat.Norm, column.Threat.Eps, attack = column.Threat.Suite, column.Threat.Settings, column.Robust }),
        union = union.Union,
        mean = union.Mean,
        competitiveness = union.Competitiveness(unions),
    });
}
