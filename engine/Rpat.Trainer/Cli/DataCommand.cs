using System.CommandLine;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat data list|verify|preview|pack|synth</c>.</summary>
internal sealed class DataCommand
{
    private readonly CommandContext _host;
    private readonly Argument<string> _spec = new("SPEC") { Description = "a data set's name, npz:FILE or folder:DIR" };
    private readonly Option<string?> _dir;
    private readonly Option<string?> _out = new("--out", "-o") { Description = "the file or folder to write", HelpName = "PATH" };

    private readonly JsonOption _json = new();

    private DataCommand(CommandContext host) => (_host, _dir) = (host, DataDirOption.Create(host));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var data = new DataCommand(host);
        var command = new Command("data", "List data sets, check their files, look at them, pack them, or make some up.")
        {
            data.List(), data.Verify(), data.Preview(), data.Pack(), data.Synth(), data._json.Option,
        };
        command.SetAction(data.PrintList);
        return command;
    }

    private Command List()
    {
        var command = new Command("list", "List the data sets, and where their files are looked for.") { _json.Option };
        command.SetAction(PrintList);
        return command;
    }

    private int PrintList(ParseResult parsed)
    {
        _json.Give(parsed, _host, () => DataSets.All, PrintList);
        return ExitCode.Done;
    }

    private void PrintList()
    {
        int width = DataSets.All.Max(set => set.Name.Length);
        foreach (DataSetInfo set in DataSets.All)
            _host.Tell(
                $"{set.Name.PadRight(width)}  {set.Title}: {set.Shape}, {set.Classes?.ToString(CultureInfo.InvariantCulture) ?? "any number of"} classes,"
                + $" {set.Images} images; {set.LookedFor}; {set.Licence}", width + 2);
    }

    private Command Verify()
    {
        var command = new Command("verify", "Check a data set's files: published MD5 sums, sizes, labels.") { _spec, _dir };
        command.SetAction(parsed =>
        {
            foreach (string line in DataVerification.Run(Spec(parsed), parsed.GetValue(_dir))) _host.Out.WriteLine(line);
            return ExitCode.Done;
        });
        return command;
    }

    private Command Preview()
    {
        var count = new Option<int>("--n") { Description = "images of each class", HelpName = "N", DefaultValueFactory = _ => 12 };
        var command = new Command("preview", "Write a contact sheet of training images as PNG, one row per class.")
            { _spec, _dir, _out, count };
        command.SetAction(parsed =>
        {
            int columns = parsed.GetValue(count);
            if (columns is < 1 or > 1000) throw new UsageException($"--n is {columns}: give 1 to 1000.");
            string path = OutputFile.Of(parsed.GetValue(_out), "preview.png");
            LabeledImages set = DataSets.Open(Spec(parsed), parsed.GetValue(_dir)).Train;
            int[] classes = [.. Enumerable.Range(0, set.ClassNames.Count).Where(set.Labels.Contains).Take(MostRows)];
            columns = Math.Min(columns, classes.Min(k => set.Labels.Count(label => label == k)));
            int[] indices = [.. classes.SelectMany(k => Enumerable.Range(0, set.Count).Where(i => set.Labels[i] == k).Take(columns))];
            Raster sheet = ImageGrid.Sheet(set, indices, columns);
            Png.Write(path, sheet.Width, sheet.Height, 3, sheet.Pixels);
            _host.Out.WriteLine(
                $"{path}: {sheet.Width}x{sheet.Height}, from top to bottom {string.Join(", ", classes.Select(k => set.ClassNames[k]))}");
            return ExitCode.Done;
        });
        return command;
    }

    private const int MostRows = 20;

    private string Spec(ParseResult parsed) => DataSets.Names.Canonical(parsed.GetRequiredValue(_spec));

    private Command Pack()
    {
        var command = new Command("pack", "Write a data set as one .npz file, which opens fast and needs no decoder.")
            { _spec, _dir, _out };
        command.SetAction(parsed =>
        {
            string spec = Spec(parsed), path = OutputFile.Of(parsed.GetValue(_out), PackedName(spec));
            DataPair pair = DataSets.Open(spec, parsed.GetValue(_dir));
            if (Path.GetFullPath(path) == Path.GetFullPath(pair.Source))
                throw new UsageException($"'{path}' is the set's own file: choose another one with -o.");
            NpzSet.Write(path, pair);
            _host.Out.WriteLine($"{path}: {pair.Train.Count} + {pair.Test.Count} images; train with --dataset npz:{path}");
            return ExitCode.Done;
        });
        return command;
    }

    // After the file or folder itself, however its path is spelt, or after the data set.
    private static string PackedName(string spec)
    {
        string own = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(spec[(spec.IndexOf(':') + 1)..])));
        return spec == TinyImageNet.Name ? TinyImageNet.PackedName
            : spec.StartsWith(NpzSet.Prefix, StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(own) + ".npz"
            : !spec.StartsWith(ImageFolder.Prefix, StringComparison.Ordinal) ? spec.Replace(':', '-') + ".npz"
            : (own.Length > 0 ? own : "packed") + ".npz";
    }

    private Command Synth()
    {
        var kind = new Argument<string>("KIND") { Description = "cifar10 or cifar100 for their binary files, npz for one .npz file" };
        var train = new Option<int>("--n") { Description = "training images", HelpName = "N", DefaultValueFactory = _ => 10_000 };
        var test = new Option<int>("--test") { Description = "held-out images", HelpName = "N", DefaultValueFactory = _ => 2_000 };
        var size = new Option<string>("--size")
        {
            Description = "size of an npz set's images",
            HelpName = "CxHxW",
            DefaultValueFactory = _ => "3x32x32"
        };
        var classes = new Option<int>("--classes") { Description = "classes of an npz set", HelpName = "K", DefaultValueFactory = _ => 10 };
        var force = new Option<bool>("--force") { Description = "replace an earlier set" };
        var seed = new Option<ulong>("--seed") { Description = "other pictures", HelpName = "S" };
        var command = new Command("synth", "Make up a data set that a network can learn, to try things out without a download.")
        {
            kind, _out, train, test, size, classes, seed, force,
        };
        command.SetAction(parsed =>
        {
            string made = DataSets.Names.Canonical(parsed.GetRequiredValue(kind));
            var order = new SynthOrder(made, parsed.GetValue(train), parsed.GetValue(test), parsed.GetValue(seed),
                parsed.GetValue(force));
            string? place = parsed.GetValue(_out);
            if (order.Kind != "npz") parsed.RefuseOptions($"is for npz sets: {made} has its own", size, classes);
            if (order.Kind == "npz") place = OutputFile.Of(place, "made-up.npz");
            _host.Out.WriteLine(order.Write(place, ImageSize.Parse("--size", parsed.GetValue(size)!), parsed.GetValue(classes)));
            return ExitCode.Done;
        });
        return command;
    }
}
