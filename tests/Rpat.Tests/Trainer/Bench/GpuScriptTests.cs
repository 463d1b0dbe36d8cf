using System.Runtime.Versioning;
using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>
/// <c>benchmarks/gpu.sh</c> with a program in rpat's place: every part is asked for, and what each gives lies in one file.
/// </summary>
public sealed class GpuScriptTests : IDisposable
{
    /// <summary>Fails in TF32; elsewhere writes where --json says; prints what JSON must escape.</summary>
    private const string Program = """
        #!/bin/sh
        printf 'a "quoted" \\ back\tslash of %s\nsecond line\n' "$1"
        for last; do :; done
        case "$*" in *tf32*) echo "rpat: tf32 is broken." >&2; exit 4 ;; esac
        printf '{"arguments": "%s"}' "$*" > "$last"
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("rpat-gpu-sh-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [FactWith(Need.Posix)]
    [UnsupportedOSPlatform("windows")]
    public void Every_part_is_in_the_file_and_one_that_fails_stops_no_other()
    {
        string rpat = Path.Combine(_folder, "rpat"), result = Path.Combine(_folder, "gpu.json");
        File.WriteAllText(rpat, Program.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(rpat, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(1, Run(rpat, "--device", "cuda:1", "--batch", "7", "--out", result));
        var json = JsonDocument.Parse(File.ReadAllText(result)).RootElement;
        var parts = json.GetProperty("parts").EnumerateArray().ToDictionary(part => part.GetProperty("name").GetString()!);
        Assert.Equal(
            [
                "devices", "ptx", "self-test-fp32", "self-test-tf32", "self-test-bf16", "kernels-fp32", "kernels-tf32", "kernels-bf16",
                "step-fp32", "step-tf32", "step-bf16",
            ],
            parts.Keys);
        var failed = parts.Where(part => part.Value.GetProperty("status").GetInt32() == 4).Select(part => part.Key);
        Assert.Equal(["self-test-tf32", "kernels-tf32", "step-tf32"], failed);
        Assert.True(json.GetProperty("failed").GetBoolean());
        string? output = parts["self-test-tf32"].GetProperty("output").GetString();
        Assert.Equal("a \"quoted\" \\ back\tslash of devices\nsecond line\nrpat: tf32 is broken.", output);
        Assert.Equal(JsonValueKind.Null, parts["kernels-tf32"].GetProperty("result").ValueKind);
        string? arguments = parts["kernels-bf16"].GetProperty("result").GetProperty("arguments").GetString();
        Assert.StartsWith("bench kernels --device cuda:1 --precision bf16 --batch-size 7 ", arguments, StringComparison.Ordinal);
        Assert.Equal([rpat, result], Directory.GetFiles(_folder).Order(StringComparer.Ordinal).Reverse()); // nothing half-written stays
    }

    [Theory]
    [InlineData]
    [InlineData("rpat", "--speed", "1")]
    [InlineData("no-such-program")]
    public void A_wrong_call_is_a_sentence(params string[] arguments)
    {
        if (!OperatingSystem.IsWindows()) Assert.Equal(2, Run(arguments));
    }

    private int Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("sh", [Repository.File("benchmarks", "gpu.sh"), .. arguments])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (start.Environment["COMPARE"], start.Environment["PYTHON"]) = ("0", "false");
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
