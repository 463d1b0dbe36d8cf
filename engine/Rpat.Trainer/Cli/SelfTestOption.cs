using System.CommandLine;
using System.Globalization;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Bench.Kernels;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Training;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat devices --self-test</c>: every kernel on a device against a double-precision reference, with its speed.</summary>
internal sealed class SelfTestOption
{
    private readonly Host _host;

    private readonly Option<string> _device = new("--self-test")
    {
        Description = "test and time a device's kernels instead, cuda:0 if none is named",
        HelpName = "cpu|cuda:N",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _precision = new("--precision") { Description = "how the tested GPU multiplies", HelpName = "fp32|tf32|bf16" };

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

    private SelfTestOption(Host host) => _host = host;

    /// <summary>Adds the option to the command that lists devices, which stays what runs without it.</summary>
    public static Command AddTo(Command devices, Host host)
    {
        var test = new SelfTestOption(host);
        var list = devices.Action!;
        foreach (var option in new Option[] { test._device, test._precision, test._batch, test._time }) devices.Add(option);
        devices.SetAction(parsed => parsed.GetResult(test._device) is null
            ? ((System.CommandLine.Invocation.SynchronousCommandLineAction)list).Invoke(parsed)
            : test.Run(parsed));
        return devices;
    }

    private int Run(ParseResult parsed)
    {
        string precision = parsed.GetValue(_precision) ?? "fp32";
        if (precision is not ("fp32" or "tf32" or "bf16")) throw new UsageException($"--precision {precision} is unknown: give fp32, tf32 or bf16.");
        int batch = parsed.GetValue(_batch), time = parsed.GetValue(_time);
        if (batch is < 1 or > 4096 || time is < 1 or > 60_000) throw new UsageException("--batch-size must be 1 to 4096 and --time 1 to 60000.");
        using var device = OpenDevice.Named(parsed.GetValue(_device) ?? "cuda:0", precision);
        var test = new SelfTest(device, new KernelSizes { Batch = batch }, TimeSpan.FromMilliseconds(time));
        _host.Out.WriteLine($"{device.Name}: {device.Description}; batch {batch}");
        bool good = true;
        foreach (var line in test.Run()) good &= Write(line, Allowed(line, precision));
        return good ? ExitCode.Done : ExitCode.Device;
    }

    /// <summary>What rounding of factors explains in a convolution, and of sums elsewhere.</summary>
    private static double Allowed(SelfTestLine line, string precision) => (line.IsConvolution, precision) switch
    {
        (true, "bf16") => 2e-2,
        (true, "tf32") => 3e-3,
        _ => 1e-4,
    };

    private bool Write(SelfTestLine line, double allowed)
    {
        bool good = line.Error <= allowed;
        string speed = line.Gigaflops > 0 ? $"{line.Gigaflops.ToString("F0", CultureInfo.InvariantCulture),8} GFLOP/s" : new string(' ', 16);
        string verdict = good ? "ok" : string.Create(CultureInfo.InvariantCulture, $"WRONG: at most {allowed:E0} is rounding");
        _host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{line.Name,-34} error {line.Error:E1}  {line.Milliseconds,9:F3} ms {speed} {line.Gigabytes,8:F0} GB/s  {verdict}"));
        return good;
    }
}
