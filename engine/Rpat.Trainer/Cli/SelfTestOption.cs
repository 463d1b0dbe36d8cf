using System.CommandLine;
using Rpat.Trainer.Bench;
using SelfTest = Rpat.Trainer.Bench.SelfTest;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat devices --self-test</c>: every kernel on a device against a double-precision reference, with its speed.</summary>
internal sealed class SelfTestOption
{
    private readonly CommandContext _host;
    private readonly JsonOption _json;

    private readonly Option<string> _device = new("--self-test")
    {
        Description = "test and time a device's kernels instead, cuda:0 if none is named",
        HelpName = "cpu|cuda:N",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _precision = new("--precision")
    { Description = "how the tested GPU multiplies", HelpName = "fp32|tf32|bf16" };

    private readonly Option<int> _batch = new("--batch-size", "-b")
    {
        Description = "images of the test",
        HelpName = "N",
        DefaultValueFactory = _ => 128,
    };

    private readonly Option<int> _time = new("--time")
    {
        Description = "milliseconds to time each kernel",
        HelpName = "N",
        DefaultValueFactory = _ => 200,
    };

    private SelfTestOption(CommandContext host, JsonOption json) => (_host, _json) = (host, json);

    /// <summary>Adds the option to the command that lists devices, which still runs without it.</summary>
    public static Command AddTo(Command devices, CommandContext host, JsonOption json)
    {
        var test = new SelfTestOption(host, json);
        var list = devices.Action!;
        foreach (var option in new Option[] { test._device, test._precision, test._batch, test._time }) devices.Add(option);
        devices.SetAction(parsed =>
        {
            if (parsed.GetResult(test._device) is not null) return test.Run(parsed);
            parsed.RefuseOptions("is for the --self-test: give that as well", test._precision, test._batch, test._time);
            return ((System.CommandLine.Invocation.SynchronousCommandLineAction)list).Invoke(parsed);
        });
        return devices;
    }

    private int Run(ParseResult parsed)
    {
        string precision = parsed.GetValue(_precision) ?? "fp32";
        if (precision is not ("fp32" or "tf32" or "bf16"))
            throw new UsageException($"--precision {precision} is unknown: give fp32, tf32 or bf16.");
        int batch = parsed.GetValue(_batch), time = parsed.GetValue(_time);
        if (batch is < 1 or > 4096 || time is < 1 or > 60_000)
            throw new UsageException("--batch-size must be 1 to 4096 and --time 1 to 60000.");
        using var device = Open(DeviceOption.Checked(parsed.GetValue(_device) ?? "cuda:0", _device.Name), precision);
        var test = new SelfTest(device, OpCases.All.SelectMany(op => op.Layers(batch)), TimeSpan.FromMilliseconds(time));
        var talk = _json.Talk(parsed, _host);
        talk.WriteLine($"{device.Name}: {device.Description}; batch {batch}");
        List<SelfTestLine> lines = [];
        foreach (var line in test.Run())
        {
            lines.Add(line);
            talk.WriteLine(Text(line, line.Allowed(precision)));
        }
        string on = $"{device.Name}: {device.Description}; batch {batch}";
        var rows = lines.Select(line => Row(line, precision));
        _json.Give(parsed, _host, () => new { On = on, Precision = precision, Lines = rows }, () => { });
        return lines.TrueForAll(line => line.Error <= line.Allowed(precision)) ? ExitCode.Done : ExitCode.Device;
    }

    // The sentence ends in what other commands can do instead.
    private static Device Open(string name, string precision)
    {
        try
        {
            return DeviceFactory.Named(name, precision);
        }
        catch (DeviceException error)
        {
            throw new DeviceException(error.Message.Replace("use the CPU", "test the CPU's kernels with --self-test cpu",
                StringComparison.Ordinal), error);
        }
    }

    /// <summary>A line for programs.</summary>
    internal static object Row(SelfTestLine line, string precision) => new
    {
        line.Name,
        line.Error,
        Allowed = line.Allowed(precision),
        Passed = line.Error <= line.Allowed(precision),
        line.Milliseconds,
        line.Gigaflops,
        line.Gigabytes,
    };

    private static string Text(SelfTestLine line, double allowed)
    {
        string speed = line.Gigaflops > 0 ? $"{line.Gigaflops.ToString("F0", CultureInfo.InvariantCulture),8} GFLOP/s"
            : new string(' ', 16);
        string wrong = string.Create(CultureInfo.InvariantCulture, $"WRONG: at most {allowed:0E-00} is rounding");
        string verdict = line.Error <= allowed ? "ok" : wrong;
        return string.Create(CultureInfo.InvariantCulture,
            $"{line.Name,-34} error {line.Error:0.0E-00}  {line.Milliseconds,9:F3} ms {speed} {line.Gigabytes,8:F0} GB/s  {verdict}");
    }
}
