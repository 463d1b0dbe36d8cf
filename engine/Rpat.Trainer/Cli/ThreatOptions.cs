using System.CommandLine;
using Rpat.Engine.Kernels.Cpu;
using Rpat.Robust.Settings;
using Rpat.Trainer.Evaluation;

namespace Rpat.Trainer.Cli;

/// <summary>The options that <c>eval</c> and <c>attack</c> share: checkpoint, data and threat model.</summary>
internal sealed class ThreatOptions
{
    private readonly CommandContext _host;
    private readonly WeightOptions _weights;
    private readonly Option<string?> _data = new("--data", "--dataset")
    { Description = "data set, or npz:FILE; see 'rpat data'; that of a run folder by default", HelpName = "SPEC" };
    private readonly Option<string?> _dataDir;
    private readonly Option<string> _norm = new("--norm")
    { Description = "linf, l2 or l1", HelpName = "NAME", DefaultValueFactory = _ => "linf" };
    private readonly Option<string?> _eps = new("--eps")
    {
        Description = $"largest perturbation of images in [0,1]; several with commas; {UsualThreat.Radii} by default",
        HelpName = "8/255",
    };
    private readonly Option<string?> _step = new("--step-size")
    { Description = "length of PGD's steps; a share of eps by default", HelpName = "2/255" };
    private readonly Option<int> _first = new("--first")
    { Description = "number of the first image, from 0; its random numbers are the same as in a run over all", HelpName = "N" };
    private readonly Option<int> _count = new("--n") { Description = "images, from the first; 0 for all", HelpName = "N" };
    private readonly Option<string> _batch = new("--batch-size", "-b")
    {
        Description = "images under attack at a time, auto for as many as fit into memory; on a CPU no result depends on it",
        HelpName = "auto|N",
        DefaultValueFactory = _ => BatchSize.Auto
    };
    private readonly Option<int> _memory = new("--memory")
    { Description = "most MiB of tensors on the CPU; 0 for what the machine has", HelpName = "MIB" };
    private readonly Option<long> _seed = new("--seed") { Description = ConfigKeys.Of(c => c.Train.Seed).Doc, HelpName = "N" };
    private readonly DeviceOption _device;
    private readonly ThreadsOption _threads = new();

    /// <summary>Makes the options.</summary>
    public ThreatOptions(CommandContext host)
    {
        (_host, _weights, _device) = (host, new WeightOptions(host), new DeviceOption(host));
        _dataDir = DataDirOption.Create(host);
    }

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        _weights.AddTo(command);
        foreach (Option option in new Option[] { _data, _dataDir, _norm, _eps, _step, _first, _count, _batch, _memory, _seed,
            _threads.Option, _device.Option }) command.Add(option);
    }

    /// <summary>Opens the device to compute on.</summary>
    /// <param name="convolution">Algorithm of 3×3 convolutions on the CPU.</param>
    /// <exception cref="DeviceException">There is no such device.</exception>
    public Device Open(ParseResult parsed, ConvolutionAlgorithm convolution = ConvolutionAlgorithm.Auto)
    {
        int threads = _threads.Value(parsed), memory = parsed.GetValue(_memory);
        if (memory < 0) throw new UsageException("--memory must not be negative.");
        var device = DeviceFactory.Named(_device.Trusted(parsed), ConfigKeys.Of(c => c.Device.Precision).Default, threads, convolution);
        if (memory > 0 && device is CpuDevice cpu) cpu.MemoryLimit = (long)memory << 20;
        return device;
    }

    /// <summary>The folder of runs.</summary>
    public string Runs(ParseResult parsed) => _weights.Runs(parsed);

    /// <summary>The given values.</summary>
    /// <exception cref="UsageException">A value is wrong.</exception>
    public EvalOptions Read(ParseResult parsed, Option<string> attacks)
    {
        var norm = CatalogNames.NormOf(parsed.GetRequiredValue(_norm));
        int first = parsed.GetValue(_first), count = parsed.GetValue(_count);
        if (first < 0) throw new UsageException($"--first is {first}: give the number of an image, from 0.");
        if (count < 0) throw new UsageException($"--n is {count}: give a number of images, or 0 for all.");
        if (parsed.GetValue(_seed) < 0) throw new UsageException($"--seed is {parsed.GetValue(_seed)}: give a number from 0.");
        var (checkpoint, choice) = _weights.Read(parsed);
        var names = EvalOptions.ParseAttacks(parsed.GetRequiredValue(attacks), checkpoint, attacks.Name);
        var set = RunDataSet.Choose(parsed.GetValue(_data), parsed.GetValue(_dataDir), checkpoint, Runs(parsed));
        return new EvalOptions(
            checkpoint, choice, set.Name, set.Dir, names, norm,
            EvalOptions.ParseRadii(parsed.GetValue(_eps) ?? UsualThreat.Eps(norm), norm), Step(parsed.GetValue(_step)),
            first, count, BatchSize.Parse(parsed.GetRequiredValue(_batch)), (ulong)parsed.GetValue(_seed)).Checked();
    }

    private static double? Step(string? text) =>
        text is null ? null
        : Numbers.TryReal(text, out double value) && value > 0 ? value
        : throw new UsageException($"--step-size is '{text}' where a positive number is wanted, such as 2/255.");
}
