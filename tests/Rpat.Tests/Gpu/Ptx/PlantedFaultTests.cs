using System.Text.RegularExpressions;
using Rpat.Engine.Gpu.Kernels;
using Rpat.Engine.Gpu.Primitives;
using Rpat.Engine.Gpu.Ptx;
using Rpat.Engine.Gpu.Queues;
using Rpat.PtxMachine;
using Rpat.Tests.Cases;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>Faults that are planted in the text of a kernel make the tests of that kernel fail, and the failure names it.</summary>
public partial class PlantedFaultTests
{
    /// <summary>What ILGPU makes of <c>j == label ? 1 : 0</c> as a number: 1 as bits.</summary>
    [Fact]
    public void The_bits_of_1_instead_of_1()
    {
        string Plant(string text) =>
            Once(text, @"(selp\.b64\s+%fd\d+, )0d3FF0000000000000(, 0d0000000000000000)", "${1}0d0000000000000001$2");
        Assert.NotNull(Failure(typeof(RowLossGradients<CrossEntropy>), Plant, fixture => Case(fixture, "RowLoss", 1, "cross-entropy")));
        var text = KernelPrograms.Text(typeof(RowLossGradients<CrossEntropy>));
        Assert.NotEqual(PtxKernel.Ok, (text with { Text = Plant(text.Text) }).Verdict);
    }

    [Theory]
    [InlineData("fa0,fa1", "fa1,fa0")]
    [InlineData("fa1,fa2", "fa2,fa1")]
    [InlineData("fb0,fb1", "fb1,fb0")]
    public void Two_registers_of_a_fragment_swapped(string right, string wrong)
    {
        string Plant(string text) => First(text, $@"(mma[^;]*){right}", $"$1{wrong}");
        foreach (var kernel in new[] { typeof(ConvTensorGemm<Tf32, Mixed, Narrow>), typeof(WeightTf32Gemm<Plain>) })
            Assert.NotNull(Failure(kernel, Plant, Multiply));
    }

    /// <summary>Strides of lines, or lines without their swizzle, that leave every result as it is; only the banks are others.</summary>
    public static TheoryData<Type, int, int, (int From, int To)[]> Strides => new()
    {
        { typeof(ConvTensorGemm<Tf32, Plain, Narrow>), 32, 1, [] },
        { typeof(ConvTensorGemm<Bf16, Mixed, Narrow>), 8, 2, [] },
        { typeof(ConvTensorGemm<Bf16, Plain, Narrow>), 32, 1, [] },
        { typeof(WeightTf32Gemm<Plain>), 32, 2, [(544, 528), (2176, 2112)] },
        { typeof(WeightBf16Gemm<Plain>), 32, EvenQuads, [(144, 128), (2304, 2048), (4608 + 2304, 4608 + 2048)] },
    };

    [Theory]
    [MemberData(nameof(Strides))]
    public void A_row_stride_that_collides(Type kernel, int channels, int size, (int From, int To)[] strides)
    {
        string Restride(string text) => strides.Length == 0 ? Unswizzled(text) : strides.Aggregate(text, (now, stride) => Regex.Replace(
            now, $@"(?<=mul\.lo\.s32\s+%r\d+, %r\d+, |add\.s32\s+%r\d+, %r\d+, ){stride.From}(?=;)", $"{stride.To}"));
        string name = KernelPrograms.Text(kernel).Name;
        var precision = name.Contains("Tf32", StringComparison.Ordinal) ? Precision.Tf32 : Precision.Bf16;
        string failure = Failure(kernel, Restride,
            fixture => new BankTests(fixture).Lanes_do_not_meet_in_a_bank(name, channels, precision))!;
        Assert.Contains("passes too many", failure, StringComparison.Ordinal);
        Assert.Null(Failure(kernel, Restride, fixture => Multiply(fixture, precision, size)));
    }

    // The swizzle is line / 2 % 4, of writers and readers alike.
    private static string Unswizzled(string text) =>
        Regex.Replace(text, @"(shr\.s32\s+(%r\d+), %r\d+, 1;\s+and\.b32\s+%r\d+, \2, )3;", "${1}0;");

    /// <summary>Every barrier of every kernel that has some is needed, but for the first of those that add up a group: it waits for readers
    /// of an earlier sum.</summary>
    [Theory]
    [MemberData(nameof(KernelsWithBarriers))]
    public void A_missing_barrier(Type kernel)
    {
        int[] needless = kernel == typeof(L2StepSample) || kernel == typeof(L2StartSample) || kernel == typeof(SquaresGroup) ? [0] : [];
        Assert.Equal(needless, Unnoticed(kernel, @"bar\.sync\s+0;", "", _barriers[kernel]));
    }

    /// <summary>The last quad's bound: what lies behind the view belongs to the same buffer, yet not to the kernel.</summary>
    [Fact]
    public void A_store_behind_a_view()
    {
        var guards = Regex.Matches(KernelPrograms.Text(typeof(ScaleQuad)).Text, @"@(?=%p\d+)");
        string?[] failures = [.. guards.Select(guard => Failure(typeof(ScaleQuad), text => Replace(text, guard, "@!"),
            fixture => Case(fixture, "Lerp", 0, "scaling into a view")))];
        Assert.True(failures.Any(failure => failure?.Contains("dx._floats, which has 24 bytes", StringComparison.Ordinal) == true),
            string.Join("\n", failures));
    }

    [Theory]
    [MemberData(nameof(GuardedKernels))]
    public void An_inverted_guard(Type kernel) => Assert.Empty(Unnoticed(kernel, @"@(?=%p\d+)", "@!", _guards[kernel]));

    /// <summary>A test that runs the kernel.</summary>
    private static readonly Dictionary<Type, Action<GpuFixture>> _barriers = new()
    {
        [typeof(ConvGemm<Mixed>)] = Convolve,
        [typeof(WeightGemm<Plain>)] = Convolve,
        [typeof(ConvTensorGemm<Tf32, Mixed, Narrow>)] = Multiply,
        [typeof(ConvTensorGemm<Bf16, Mixed, Narrow>)] = fixture => Multiply(fixture, Precision.Bf16, 2),
        [typeof(WeightTf32Gemm<Plain>)] = Multiply,
        [typeof(ConvTensorGemm<Bf16, Plain, Narrow>)] = MultiplyCopies,
        [typeof(WeightBf16Gemm<Plain>)] = MultiplyCopies,
        [typeof(WeightBf16Gemm<Mixed>)] = fixture => Multiply(fixture, Precision.Bf16, 2),
        [typeof(SquaresGroup)] = fixture => Case(fixture, "WeightPerturbation", 1),
        [typeof(L2StepSample)] = fixture => Case(fixture, "AttackStep", 5),
        [typeof(L2StartSample)] = fixture => Case(fixture, "AttackStart", 5),
        [typeof(ChunkMoments<F32>)] = Normalize,
        [typeof(ChunkGradients<F32>)] = Normalize,
        [typeof(ChunkSums<F32>)] = fixture => Case(fixture, "ChannelBias", 0),
        [typeof(DepthwiseWeights<F32>)] = fixture => Case(fixture, "DepthwiseConv2d", 0),
        [typeof(ProductChains<Tf32>)] = fixture => new PeakTests(fixture).Chains_of_products(Precision.Tf32, 8),
        [typeof(ProductChains<Bf16>)] = fixture => new PeakTests(fixture).Chains_of_products(Precision.Bf16, 16),
        [typeof(LinearWeight)] = fixture => Case(fixture, "Linear", 1),
    };

    private static readonly Dictionary<Type, Action<GpuFixture>> _guards = new()
    {
        [typeof(SgdQuad)] = fixture =>
        {
            Case(fixture, "Sgd", 1);
            new GpuCheck(fixture) { Skew = 1 }.Run("Sgd", 1);
        },
        [typeof(RowLossGradients<CrossEntropy>)] = fixture =>
        {
            // fewer columns than lanes, and more
            Case(fixture, "RowLoss", 1, "cross-entropy");
            Case(fixture, "RowLoss", 2, "cross-entropy");
        },
        [typeof(RowLossGradients<OneLogit>)] = fixture => Case(fixture, "RowLoss", 2, "one logit"),
        [typeof(MaxGradientQuad<F32>)] = fixture => Case(fixture, "Pool2d", 0, "max pool"),
    };

    private const int EvenQuads = 7; // of the ragged sizes, one with even numbers of quads

    public static TheoryData<Type> KernelsWithBarriers =>
        [.. _barriers.Keys, .. KernelPrograms.Types.Where(type =>
            !_barriers.ContainsKey(type) && !IsAnother(type) && Barrier().IsMatch(KernelPrograms.Text(type).Text))];

    // Instances for other views, tiles and storages have the same barriers.
    private static bool IsAnother(Type type) => type.IsGenericType
        && (type.Name.Contains("Gemm", StringComparison.Ordinal) || type.GetGenericArguments().Contains(typeof(Bf16)));

    public static TheoryData<Type> GuardedKernels => [.. _guards.Keys];

    private static void Convolve(GpuFixture fixture) => Case(fixture, "Conv2d", 2);

    private static void Multiply(GpuFixture fixture) => Multiply(fixture, Precision.Tf32, 2);

    /// <summary>One of the ragged convolutions.</summary>
    private static void Multiply(GpuFixture fixture, Precision precision, int size) =>
        new GpuCheck(fixture, precision) { Grid = 128, Every = false }.Run("Conv2d", size);

    /// <summary>A layer whose pixels are copied without passing through registers.</summary>
    private static void MultiplyCopies(GpuFixture fixture)
    {
        var layer = new ConvShape(new Shape(2, 32, 5, 7), Layout.Blocked, 72, 3, 1, 1);
        new GpuCheck(fixture, Precision.Bf16) { Grid = 128 }.Run(
            new("copied", make => Conv2dCases.Passes(make, layer, fused: false, x => new Seen(x))), _ => true);
    }

    private static void Normalize(GpuFixture fixture) => Case(fixture, "BatchNorm2d", 0);

    /// <summary>The cases of one ragged size whose names begin so.</summary>
    private static void Case(GpuFixture fixture, string op, int size, string name = "") => new GpuCheck(fixture).Run(
        OpCases.All.Single(one => one.Op == op).Ragged().ElementAt(size), one => one.Name.StartsWith(name, StringComparison.Ordinal));

    /// <summary>The places in a text at which a fault makes no test fail.</summary>
    private static int[] Unnoticed(Type kernel, string pattern, string replacement, Action<GpuFixture> test)
    {
        var places = Regex.Matches(KernelPrograms.Text(kernel).Text, pattern);
        Assert.NotEmpty(places);
        return [.. Enumerable.Range(0, places.Count)
            .Where(n => Failure(kernel, text => Replace(text, places[n], replacement), test) is null)];
    }

    private static string Replace(string text, Match place, string replacement) =>
        text[..place.Index] + replacement + text[(place.Index + place.Length)..];

    /// <summary>How a test fails with a fault in one kernel, or null; the failure must name the kernel.</summary>
    private static string? Failure(Type kernel, Func<string, string> plant, Action<GpuFixture> test)
    {
        using var fixture = new PlantedFixture(kernel, plant);
        var failure = Record.Exception(() => test(fixture));
        if (failure is not null) Assert.Contains(KernelPrograms.Text(kernel).Name, failure.Message, StringComparison.Ordinal);
        return failure?.Message;
    }

    private static string Once(string text, string pattern, string replacement)
    {
        Assert.Single(Regex.Matches(text, pattern));
        return Regex.Replace(text, pattern, replacement);
    }

    private static string First(string text, string pattern, string replacement)
    {
        Assert.Matches(pattern, text);
        return new Regex(pattern).Replace(text, replacement, 1);
    }

    private sealed class PlantedFixture(Type kernel, Func<string, string> plant) : GpuFixture
    {
        private protected override GpuDevice Open(Precision precision) =>
            TestGpu.Open(precision, programs: Program, reported: Launches.Add, counts: () => CountsTraffic);

        private PtxProgram Program(Type type)
        {
            if (type != kernel) return KernelPrograms.Of(type);
            var text = KernelPrograms.Text(type);
            return KernelPrograms.Parse(text with { Text = plant(text.Text) });
        }
    }

    [GeneratedRegex(@"bar\.sync\s")]
    private static partial Regex Barrier();
}
