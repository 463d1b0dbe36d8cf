namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>The inline assembly of one thread: its registers and the program in progress.</summary>
internal sealed class PtxThread
{
    public void Reset()
    {
    }

    /// <summary>Goes on with the program in progress; false where it must wait for the warp.</summary>
    public bool Resume() => true;
}
