using System.CommandLine;
using Rpat.Robust.Losses;
using Rpat.Trainer.Bench;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat bench ptx</c>: what the GPU's kernels compile to, written as text for comparing, and audited. Needs no GPU.</summary>
internal sealed class PtxCommand
{
    private readonly CommandContext _host;

    private const string Legend = """

        v4: loads and stores of 128 bits; mma: products on tensor cores; cp.async: copies to shared memory that nothing waits for;
        ok: no local memory, calls, denormal constants, accesses of unknown address space or branches marked wrongly.
        slots: what a warp's scheduler issues in the main loop, per 512 multiply-adds of its 32 threads or 32 products on tensor cores;
        bytes per flop: what the loop loads from global memory; at most: the share of each GPU's arithmetic peak that the slots allow,
        which differs since GPUs take 1 or 2 cycles for a warp's multiply-add and 4 to 32 for a product.

        """;

    private readonly Option<string> _out = new("--out", "-o")
    {
        Description = "the folder for a .ptx file of each kernel",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<int> _arch = new("--arch")
    {
        Description = "compute capability without its point, 80 or 90",
        HelpName = "N",
        DefaultValueFactory = _ => 90,
    };

    private readonly JsonOption _json = new();

    private PtxCommand(CommandContext host) => _host = host;

    /// <summary>The command, to be added to <c>bench</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var ptx = new PtxCommand(host);
        const string about = "Compile the GPU kernels, those of your own --plugin too, to PTX text and audit it (needs no GPU).";
        var command = new Command("ptx", about) { ptx._out, ptx._arch, ptx._json.Option };
        command.SetAction(ptx.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        int arch = parsed.GetValue(_arch);
        if (arch is < 80 or > 121) throw new UsageException($"--arch {arch} is out of range: give 80 to 121, such as 90 for sm_90.");
        string folder = parsed.GetValue(_out)!;
        AtomicFile.MakeFolder(folder);
        var talk = _json.Talk(parsed, _host);
        List<PtxKernel> kernels = [];
        foreach (var kernel in Compile(arch))
        {
            if (kernel.Refused is null) AtomicFile.WriteText(Path.Combine(folder, $"{kernel.Name}.ptx"), kernel.Text);
            talk.WriteLine(Format(kernel));
            kernels.Add(kernel);
        }
        foreach (var kernel in kernels)
            if (PtxLoop.Of(kernel.Text) is { } loop) talk.WriteLine(Format(kernel.Name, loop));
        talk.Write(Legend);
        talk.WriteLine(Summary(kernels));
        _json.Give(parsed, _host, () => kernels.Select(Row), () => { });
        return kernels.All(kernel => kernel.Verdict == PtxKernel.Ok) ? ExitCode.Done : ExitCode.Device;
    }

    /// <summary>How many kernels are as they should be, and which are not.</summary>
    internal static string Summary(IReadOnlyList<PtxKernel> kernels)
    {
        var bad = kernels.Where(kernel => kernel.Verdict != PtxKernel.Ok).ToList();
        string found = bad.Count == 0 ? $"all {kernels.Count} kernels are ok."
            : $"{bad.Count} of {kernels.Count} kernels are not ok: {string.Join(", ", bad.Select(kernel => kernel.Name))}.";
        var why = bad.Select(kernel => kernel.Refused ?? $"{kernel.Name} {kernel.Verdict}.");
        return string.Join('\n', why.DistinctBy(one => one.Split(" cannot be compiled")[0]).Append(found));
    }

    private static string Format(PtxKernel kernel) => $"{kernel.Name,-42} " + (kernel.Refused is null
        ? $"v4 {kernel.QuadAccesses,3}  mma {kernel.TensorProducts,3}  cp.async {kernel.AsyncCopies,2}  {kernel.Verdict}" : "not compiled");

    /// <summary>A kernel for programs.</summary>
    internal static object Row(PtxKernel kernel) =>
        new
        {
            kernel.Name,
            kernel.QuadAccesses,
            kernel.TensorProducts,
            kernel.AsyncCopies,
            kernel.Verdict,
            Loop = Row(PtxLoop.Of(kernel.Text)),
        };

    private static object? Row(PtxLoop? loop) => loop is null ? null : new
    {
        loop.SlotsPerUnit,
        Products = loop.Unit,
        loop.BytesPerFlop,
        Bounds = PtxLoop.Gpus.Select(gpu => new { gpu.Name, Share = loop.Bound(gpu) }),
    };

    private static string Format(string kernel, PtxLoop loop)
    {
        var bounds = PtxLoop.Gpus.Select(gpu => string.Create(CultureInfo.InvariantCulture, $"{gpu.Name} {100 * loop.Bound(gpu):0} %"));
        return string.Create(CultureInfo.InvariantCulture, $"{kernel,-42} {loop.SlotsPerUnit,4:0} slots per {loop.Unit,3} products, "
            + $"{loop.BytesPerFlop:0.000} bytes per flop, at most {string.Join(", ", bounds)}");
    }

    private static IEnumerable<PtxKernel> Compile(int arch) =>
        GpuBackend.Compile(arch / 10, arch % 10, [typeof(RpatLoss).Assembly, typeof(Silu).Assembly, .. Catalog.Registered]);
}
