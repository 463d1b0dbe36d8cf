using System.Collections.Concurrent;
using System.Reflection;
using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Fibres;

/// <summary>Runs a method whose frame lies at an address, from its start or from where it fell asleep; true where it sleeps again.</summary>
internal unsafe delegate bool ResumeMethod(byte* frame);

/// <summary>
/// A method translated so that it can stop in the middle and go on later: its variables live in, or are saved to, a frame in
/// native memory, and calls that may sleep return instead of blocking. So a group of a thousand threads runs on one OS thread
/// at the speed of compiled code.
/// </summary>
internal sealed unsafe class FibreCode
{
    private static readonly ConcurrentDictionary<MethodBase, Lazy<FibreCode>> s_codes = [];

    private FibreCode(MethodBase method)
    {
        var shape = new MethodShape(method);
        var translator = new Translator(shape);
        Method = translator.Emit();
        (FrameBytes, Shape) = (translator.FrameBytes, shape);
        StackBytes = FrameBytes + (translator.Callees.Count == 0 ? 0 : translator.Callees.Max(callee => callee.StackBytes));
        _resume = Method.CreateDelegate<ResumeMethod>();
    }

    private readonly ResumeMethod _resume;

    public System.Reflection.Emit.DynamicMethod Method { get; }

    public MethodShape Shape { get; }

    /// <summary>Bytes of this method's frame.</summary>
    public int FrameBytes { get; }

    /// <summary>Bytes of this method's frame and those of everything it calls.</summary>
    public int StackBytes { get; }

    /// <summary>The translation of a method, made once.</summary>
    public static FibreCode For(MethodBase method) =>
        s_codes.GetOrAdd(method, static key => new Lazy<FibreCode>(() => new FibreCode(key))).Value;

    /// <summary>Lays out the first frame of a kernel.</summary>
    public void Start(byte* frame, Arguments arguments)
    {
        new Span<byte>(frame, FrameBytes).Clear();
        arguments.Bytes.CopyTo(new Span<byte>(frame + MethodShape.ReturnSlot, FrameBytes - MethodShape.ReturnSlot));
    }

    /// <summary>Runs a thread on; true where it sleeps again.</summary>
    public bool Resume(byte* frame) => _resume(frame);
}

/// <summary>Errors of members that only translated kernels may call.</summary>
internal static class Fibre
{
    public static Exception NotTranslated() =>
        new EmulatorException("A barrier or an exchange between threads was called outside a kernel, or through a delegate.");
}
