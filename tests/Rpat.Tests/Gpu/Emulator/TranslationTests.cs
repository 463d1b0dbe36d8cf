using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>Odd shapes of code around a sleeping call: what the translation of kernels must get right.</summary>
public sealed class TranslationTests : IDisposable
{
    private readonly EmulatedGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void ConstructorsThatCallOthers() => Gives(Constructors, i => i + 3);

    [Fact]
    public void AReferenceThatWaitsForItsValue() => Gives(Reference, i => i ^ 1);

    [Fact]
    public void ChoicesOnTheStack() => Gives(Choice, i => 100 + (i % 2 == 0 ? i + 1 : i - 1) + (i > 7 ? 5 : 6));

    [Fact]
    public void SwitchesAndLoopsInLoops() => Gives(Switch, i => Enumerable.Range(0, 6).Sum(k => k % 3 == 0 ? 1 : k % 3 == 1 ? i : i ^ 1));

    [Fact]
    public void StaticAbstractMembersThatSleep() => Gives(Abstract, i => (i ^ 1) * 10);

    [Fact]
    public void ReferencesPassedOn() => Gives(Passing, i => i + (i ^ 2) + (i ^ 1) + ((i ^ 1) ^ 2));

    [Fact]
    public void LongAndDoubleAndSmallValuesSurviveASleep() => Gives(Widths, i => i + (i % 2) + 2 * (i ^ 1));

    [Fact]
    public void ADelegateCannotHideASleep() => Assert.Matches("through a delegate|managed object", EmulatedGpu.Fails(() => Run(Delegated)));

    private void Gives(Action<ArrayView<int>> kernel, Func<int, int> expected) => Assert.Equal(Enumerable.Range(0, 32).Select(expected), Run(kernel));

    private int[] Run(Action<ArrayView<int>> kernel)
    {
        var output = _gpu.Allocate<int>(32);
        _gpu.Accelerator.LoadKernel(kernel)(_gpu.Stream, new KernelConfig(1, 32), output);
        return output.GetAsArray(_gpu.Stream);
    }

    private readonly struct Sum
    {
        public readonly int Value;

        public Sum(int a, int b) => Value = a + b;

        public Sum(int a) : this(a, 1) => Value += 2;
    }

    private static void Constructors(ArrayView<int> output)
    {
        var sum = new Sum(Group.IdxX);
        Group.Barrier();
        output[Group.IdxX] = sum.Value;
    }

    private static void Reference(ArrayView<int> output) => output[Group.IdxX] = Warp.ShuffleXor(Group.IdxX, 1);

    private static void Choice(ArrayView<int> output)
    {
        int i = Group.IdxX;
        output[i] = 100 + (i % 2 == 0 ? i : -i) + Warp.ShuffleXor(i % 2 == 0 ? 1 : i > 40 ? 7 : i + i - 1, 0) + (i > 7 ? 5 : 6);
    }

    private static void Switch(ArrayView<int> output)
    {
        int sum = 0;
        for (int k = 0; k < 6; k++)
        {
            switch (k % 3)
            {
                case 0: sum++; break;
                case 1: sum += Warp.Shuffle(Group.IdxX, Warp.LaneIdx); break;
                default: sum += Warp.ShuffleXor(Group.IdxX, 1); break;
            }
        }
        output[Group.IdxX] = sum;
    }

    private interface IStep
    {
        static abstract int Take(int value);
    }

    private readonly struct Swap : IStep
    {
        public static int Take(int value) => Warp.ShuffleXor(value, 1);
    }

    private static int Ten<T>(int value)
        where T : IStep => T.Take(value) * 10;

    private static void Abstract(ArrayView<int> output) => output[Group.IdxX] = Ten<Swap>(Group.IdxX);

    private static void Passing(ArrayView<int> output)
    {
        int sum = Group.IdxX;
        AddOther(ref sum, 2);
        AddOther(ref sum, 1);
        output[Group.IdxX] = sum;
    }

    private static void AddOther(ref int sum, int mask) => sum += Warp.ShuffleXor(sum, mask);

    private static void Widths(ArrayView<int> output)
    {
        long wide = Group.IdxX;
        double real = Group.IdxX % 2;
        byte small = (byte)(Group.IdxX ^ 1);
        bool flag = Group.IdxX >= 0;
        short two = 2;
        output[Group.IdxX] = (int)wide + (int)real + two * (Warp.ShuffleXor(Group.IdxX, 1) == small && flag ? small : -1);
    }

    private static void Delegated(ArrayView<int> output)
    {
        Action barrier = Group.Barrier;
        barrier();
    }
}
