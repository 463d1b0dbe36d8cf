namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// A kernel is a struct: its fields are the arguments, <see cref="Run"/> is what each thread does (with <c>Grid</c>, <c>Group</c>
/// and <c>SharedMemory</c> to say where it is). Methods that <see cref="Run"/> calls must be inlined, so that the fields and all
/// register tiles stay in registers.
/// </summary>
internal interface IKernel
{
    /// <summary>One thread's work.</summary>
    void Run();
}

/// <summary>The entry point that the compiler sees: one instance a kernel type.</summary>
internal static class Entry
{
    public static void Of<T>(T kernel) where T : struct, IKernel => kernel.Run();
}
